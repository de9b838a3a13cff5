package sasl

// maxMessage bounds what a client may send in one message, in octets. The largest
// honest one is PLAIN's, three fields of maxField.
const maxMessage = 4096

// A step takes one message of the client and returns the challenge that answers
// it with the step that takes the next message, or no step: that was the last.
type step func(message []byte) (challenge []byte, next step, err error)

// dialogue is the part that all exchanges share: it runs one step per message.
type dialogue struct {
	next step   // nil: over
	user string // set by the last step
}

// begin is a dialogue whose first message may come as the initial response; if
// it does not, prompt asks for it.
func begin(prompt string, first step) dialogue {
	return dialogue{next: func(message []byte) ([]byte, step, error) {
		if message == nil {
			return []byte(prompt), first, nil
		}
		return first(message)
	}}
}

// Next implements Exchange.
func (d *dialogue) Next(message []byte) (challenge []byte, done bool, err error) {
	take := d.next
	d.next = nil // over, unless the step says otherwise: an error and a panic are final
	switch {
	case take == nil:
		return nil, false, malformed("the exchange is over")
	case len(message) > maxMessage:
		return nil, false, malformed("too long")
	}
	challenge, next, err := take(message)
	if err != nil {
		return nil, false, err
	}
	d.next = next
	return challenge, next == nil, nil
}

// User implements Exchange.
func (d *dialogue) User() string { return d.user }
