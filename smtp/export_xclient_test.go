package smtp

import "net/netip"

// ParseX parses the argument of XCLIENT: the client, and the words that go into
// logs and Received fields.
func ParseX(arg string) (client netip.AddrPort, words []string, login string, err error) {
	attrs, err := parseXattributes(arg, xclientAttributes)
	if err != nil {
		return client, nil, "", err
	}
	for _, name := range []string{"NAME", "REVERSE_NAME", "HELO"} {
		words = append(words, attrs.word(name))
	}
	client, err = attrs.endpoint(client, "ADDR", "PORT")
	return client, words, attrs["LOGIN"], err
}
