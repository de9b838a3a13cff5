package sasl

import (
	"fmt"
	"strconv"
	"strings"

	gosasl "github.com/emersion/go-sasl"
	"github.com/xdg-go/scram"
)

// maxClientIterations is the work that a server may ask of a client: half a second.
const maxClientIterations = 1 << 20

// ScramClient is the client's side of SCRAM-SHA-256 (RFC 7677), which go-sasl does
// not have.
type ScramClient struct{ conv *scram.ClientConversation }

var _ gosasl.Client = (*ScramClient)(nil)

// NewScramClient returns a client that proves a password. It fails for a user or
// password that SASLprep prohibits.
func NewScramClient(user, password string) (*ScramClient, error) {
	c, err := scram.SHA256.NewClient(user, password, "")
	if err != nil {
		return nil, err
	}
	return &ScramClient{c.NewConversation()}, nil
}

// Start implements gosasl.Client.
func (s *ScramClient) Start() (mech string, ir []byte, err error) {
	first, err := s.conv.Step("")
	return ScramSHA256, []byte(first), err
}

// Next implements gosasl.Client. A server that asks for more than a million
// iterations is refused.
func (s *ScramClient) Next(challenge []byte) ([]byte, error) {
	if s.conv.Done() {
		return nil, gosasl.ErrUnexpectedServerChallenge
	}
	for field := range strings.SplitSeq(string(challenge), ",") { // RFC 5802 section 5.1
		i, ok := strings.CutPrefix(field, "i=")
		if n, err := strconv.Atoi(i); ok && (err != nil || n > maxClientIterations) {
			return nil, fmt.Errorf("sasl: the server asks for %.20s iterations", i)
		}
	}
	response, err := s.conv.Step(string(challenge))
	return []byte(response), err
}

// Verified reports whether the server has proved that it knows the password too:
// without that, whoever said that all is well may be anyone (RFC 5802 section 3).
func (s *ScramClient) Verified() bool { return s.conv.Valid() }
