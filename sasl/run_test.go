package sasl_test

import (
	"errors"
	"testing"

	"github.com/mailparts/mailparts/sasl"
)

// script is an Exchange that gives out its challenges and then its outcome.
type script struct {
	challenges []string
	user       string
	err        error
	got        []string
}

func (s *script) Next(response []byte) (challenge []byte, done bool, err error) {
	if response != nil {
		s.got = append(s.got, string(response))
	}
	if len(s.challenges) == 0 {
		return nil, s.err == nil, s.err
	}
	challenge, s.challenges = []byte(s.challenges[0]), s.challenges[1:]
	return challenge, false, nil
}

func (s *script) User() string { return s.user }

func TestRun(t *testing.T) {
	lost := errors.New("lost")
	for _, tt := range []struct {
		name   string
		x      script
		askErr error
		want   string
		err    error
	}{
		{name: "no challenge", x: script{user: "alice"}, want: "alice"},
		{name: "two challenges", x: script{challenges: []string{"a", "b"}, user: "alice"}, want: "alice"},
		{name: "denied", x: script{challenges: []string{"a"}, err: sasl.ErrDenied}, err: sasl.ErrDenied},
		{name: "done without a name", x: script{}, err: sasl.ErrDenied},
		{name: "the client is gone", x: script{challenges: []string{"a"}, user: "alice"}, askErr: lost, err: lost},
	} {
		t.Run(tt.name, func(t *testing.T) {
			challenges := len(tt.x.challenges)
			user, err := sasl.Run(&tt.x, nil, func(challenge []byte) ([]byte, error) {
				return append([]byte("re: "), challenge...), tt.askErr
			})
			if user != tt.want || err != tt.err {
				t.Errorf("got %q, %v, want %q, %v", user, err, tt.want, tt.err)
			}
			if tt.askErr == nil && len(tt.x.got) != challenges {
				t.Errorf("%d challenges had the answers %q", challenges, tt.x.got)
			}
		})
	}
}

func TestDecode(t *testing.T) {
	for text, want := range map[string]string{"": "", "AGEAYg==": "\x00a\x00b"} {
		if got, err := sasl.Decode([]byte(text)); err != nil || got == nil || string(got) != want {
			t.Errorf("Decode(%q) = %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"=", "A", "AGEAYg", "AGE AYg==", "AGEAYg==x", "*"} {
		if got, err := sasl.Decode([]byte(text)); !errors.Is(err, sasl.ErrMalformed) {
			t.Errorf("Decode(%q) = %q, %v", text, got, err)
		}
	}
	if got, err := sasl.DecodeInitial([]byte("=")); err != nil || got == nil || len(got) != 0 {
		t.Errorf("DecodeInitial(=) = %q, %v", got, err)
	}
	if _, err := sasl.DecodeInitial(nil); !errors.Is(err, sasl.ErrMalformed) {
		t.Errorf("DecodeInitial of nothing: %v", err)
	}
}

func TestFind(t *testing.T) {
	ms := []sasl.Mechanism{{Name: "PLAIN"}, {Name: "LOGIN"}}
	if m, ok := sasl.Find(ms, "login"); !ok || m.Name != "LOGIN" {
		t.Errorf("login: %v, %v", m, ok)
	}
	if _, ok := sasl.Find(ms, "LOG"); ok {
		t.Error("LOG is found")
	}
}
