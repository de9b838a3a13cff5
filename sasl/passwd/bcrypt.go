package passwd

import (
	"errors"
	"fmt"
	"strings"

	gobcrypt "golang.org/x/crypto/bcrypt"
)

// maxBcryptCost takes some seconds.
const maxBcryptCost = 16

// bcrypt is a hash in crypt(3) form.
type bcrypt struct {
	hash   []byte
	rounds int // log2
}

var errBcrypt = errors.New("not of the form $2a$, $2b$ or $2y$, cost, $, 53 characters")

const bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func parseBcrypt(text string) (*bcrypt, error) {
	const length = len("$2b$10$") + 53
	if len(text) != length || text[6] != '$' || strings.Trim(text[7:], bcryptAlphabet) != "" {
		return nil, errBcrypt
	}
	switch text[:4] {
	case "$2a$", "$2b$", "$2y$": // one algorithm; $2x$ is another
	default:
		return nil, errBcrypt
	}
	rounds, err := gobcrypt.Cost([]byte(text))
	if err != nil {
		return nil, errBcrypt
	}
	if rounds > maxBcryptCost {
		return nil, fmt.Errorf("bcrypt cost %d is more than %d", rounds, maxBcryptCost)
	}
	return &bcrypt{hash: []byte(text), rounds: rounds}, nil
}

func (b *bcrypt) matches(password string) bool {
	return gobcrypt.CompareHashAndPassword(b.hash, []byte(password)) == nil
}

func (b *bcrypt) cost() string { return fmt.Sprintf("$2$%02d", b.rounds) }
