package maildir

import "github.com/mailparts/mailparts"

// Keywords are a mailbox's, for tests.
type Keywords struct{ k keywords }

// ParseKeywords reads a dovecot-keywords.
func ParseKeywords(text string) *Keywords { return &Keywords{parseKeywords(text)} }

// Text is the file's, Bad how many of its lines were none.
func (k *Keywords) Text() string { return string(k.k.append(nil)) }
func (k *Keywords) Bad() int     { return k.k.bad }

func (k *Keywords) Names() [26]mailparts.Flag                 { return k.k.names() }
func (k *Keywords) Find(f mailparts.Flag) (int, bool)         { return k.k.find(f) }
func (k *Keywords) Add(flags ...mailparts.Flag) (bool, error) { return k.k.add(flags...) }
func (k *Keywords) Claim(used uint32) bool                    { return k.k.claim(used) }

// ReadKeywords and WriteKeywords are those of a mailbox's folder.
func (b *Backend) ReadKeywords(dir string) (k *Keywords, there bool, err error) {
	b.once.Do(b.setUp)
	read, fi, err := b.readKeywords(dir)
	return &Keywords{read}, fi != nil, err
}

func (b *Backend) WriteKeywords(dir string, k *Keywords) error {
	b.once.Do(b.setUp)
	return b.writeKeywords(dir, k.k)
}

var CheckKeyword = checkKeyword
