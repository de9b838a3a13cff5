package sasl_test

import (
	"context"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/sasl"
)

func TestScramClient(t *testing.T) {
	server := mechanism(t, users{"user": "pencil"}, sasl.ScramSHA256)
	c, err := sasl.NewScramClient("user", "pencil")
	if err != nil {
		t.Fatal(err)
	}
	_, response, err := c.Start()
	if err != nil {
		t.Fatal(err)
	}
	user, err := sasl.Run(server.New(context.Background(), nil), response, c.Next)
	if user != "user" || err != nil || !c.Verified() {
		t.Errorf("got %q, %v, verified %v", user, err, c.Verified())
	}
	if _, err := c.Next([]byte("more")); err == nil {
		t.Error("a challenge after the end was answered")
	}
}

func TestScramClientBoundsItsWork(t *testing.T) {
	c, err := sasl.NewScramClient("user", "pencil")
	if err != nil {
		t.Fatal(err)
	}
	_, first, _ := c.Start()
	_, nonce, _ := strings.Cut(string(first), ",r=")
	if _, err := c.Next([]byte("r=" + nonce + "x,s=QSXCR+Q6sek8bf92,i=2000000000")); err == nil || c.Verified() {
		t.Errorf("got %v, verified %v", err, c.Verified())
	}
}
