package smtp

import (
	"fmt"
	"strconv"
	"strings"

	gosasl "github.com/emersion/go-sasl"
	"github.com/xdg-go/scram"

	"github.com/mailparts/mailparts/sasl"
)

// scramClient is SCRAM-SHA-256 (RFC 7677) as a gosasl.Client.
type scramClient struct{ conv *scram.ClientConversation }

func newScramClient(user, password string) (gosasl.Client, error) {
	c, err := scram.SHA256.NewClient(user, password, "")
	if err != nil {
		return nil, err
	}
	return &scramClient{c.NewConversation()}, nil
}

// maxScramIterations is the work that a server may ask of us: half a second.
const maxScramIterations = 1 << 20

func (s *scramClient) Start() (mech string, ir []byte, err error) {
	first, err := s.conv.Step("")
	return sasl.ScramSHA256, []byte(first), err
}

func (s *scramClient) Next(challenge []byte) ([]byte, error) {
	if s.conv.Done() {
		return nil, gosasl.ErrUnexpectedServerChallenge
	}
	for field := range strings.SplitSeq(string(challenge), ",") { // RFC 5802 section 5.1
		i, ok := strings.CutPrefix(field, "i=")
		if n, err := strconv.Atoi(i); ok && (err != nil || n > maxScramIterations) {
			return nil, fmt.Errorf("the server asks for %.20s iterations", i)
		}
	}
	response, err := s.conv.Step(string(challenge))
	return []byte(response), err
}

// verified reports whether the server has proved that it knows the password.
func (s *scramClient) verified() bool { return s.conv.Valid() }
