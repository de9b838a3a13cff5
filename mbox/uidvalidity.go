package mbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mailparts/mailparts/internal/disk"
)

// Files in a store's folder beside the mail.
const (
	namesLock    = "names.lock"       // who changes the set of mailboxes
	validityLock = "uidvalidity.lock" // who takes a UIDVALIDITY
	validityName = "uidvalidity"      // the last one that was taken
	renameName   = "rename"           // a Rename that is not done
)

// newValidity gives a UIDVALIDITY that no mailbox of the store has had: the clock,
// in seconds, or one more than the last. That it is taken is durable.
func (s *store) newValidity(ctx context.Context) (uint32, error) {
	fsys := s.backend.fsys
	lock, err := s.backend.lockFile(ctx, filepath.Join(s.side, validityLock))
	if err != nil {
		return 0, err
	}
	defer lock.Close()
	file := filepath.Join(s.side, validityName)
	text, err := disk.ReadFile(fsys, file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	last, _ := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32)
	next := max(last+1, uint64(time.Now().Unix()))
	if next > math.MaxUint32 {
		return 0, fmt.Errorf("%s: no UIDVALIDITY is left", s.side)
	}
	return uint32(next), disk.WriteFile(fsys, file, fmt.Appendf(nil, "%d\n", next), fileMode)
}
