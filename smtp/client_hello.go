package smtp

import "strings"

// greeting reads the server's first words (RFC 5321 section 4.3.1).
func (c *Client) greeting() error {
	r, err := c.reply("greeting", c.replyIn)
	if err != nil {
		return err
	}
	return c.positive("greeting", r)
}

// hello says LHLO, or EHLO and for an old server HELO (RFC 5321 section 3.2).
func (c *Client) hello(name string) error {
	verb := "EHLO"
	if c.lmtp {
		verb = "LHLO"
	}
	r, err := c.do(verb, verb+" "+name)
	if err != nil {
		return err
	}
	if r.code/100 == 5 && !c.lmtp {
		c.ext, c.limits = nil, clientLimits{}
		if r, err = c.do("HELO", "HELO "+name); err != nil {
			return err
		}
		return c.positive("HELO", r)
	}
	if err := c.positive(verb, r); err != nil {
		return err
	}
	c.ext = map[string]string{}
	lines := strings.Split(r.text, "\n")
	for _, l := range lines[1:] {
		keyword, params, _ := strings.Cut(l, " ")
		c.ext[strings.ToUpper(keyword)] = strings.TrimSpace(params)
	}
	c.limits = parseClientLimits(c.ext["LIMITS"])
	return nil
}
