package mime

import (
	"slices"
	"strconv"
	"strings"
)

// joinPieces joins the pieces of RFC 2231 section 3, name*0, name*1 and so on, to one
// parameter in the place of the first. If one of the pieces is encoded then all are,
// and the name ends in "*".
func joinPieces(params []Param) []Param {
	if !slices.ContainsFunc(params, func(p Param) bool { _, _, ok := cutPiece(p.Name); return ok }) {
		return params
	}
	var joined []Param
	done := map[string]bool{}
	for _, p := range params {
		base, _, ok := cutPiece(p.Name)
		switch key := strings.ToLower(base); {
		case !ok:
			joined = append(joined, p)
		case !done[key]:
			done[key] = true
			joined = append(joined, joinNamed(params, base))
		}
	}
	return joined
}

type piece struct {
	number  int
	encoded bool
	value   string
}

func joinNamed(params []Param, base string) Param {
	var pieces []piece
	encoded := false
	for _, p := range params {
		if b, n, ok := cutPiece(p.Name); ok && strings.EqualFold(b, base) {
			e := strings.HasSuffix(p.Name, "*")
			encoded = encoded || e
			pieces = append(pieces, piece{n, e, p.Value})
		}
	}
	slices.SortStableFunc(pieces, func(a, b piece) int { return a.number - b.number })
	var b strings.Builder
	for _, p := range pieces {
		if encoded && !p.encoded {
			p.value = percent(p.value)
		}
		b.WriteString(p.value)
	}
	if encoded {
		base += "*"
	}
	return Param{base, b.String()}
}

// cutPiece takes name*3 or name*3* apart.
func cutPiece(s string) (base string, number int, ok bool) {
	base, n, ok := strings.Cut(strings.TrimSuffix(s, "*"), "*")
	if !ok || n == "" || len(n) > 4 {
		return "", 0, false
	}
	number, err := strconv.Atoi(n)
	return base, number, err == nil && number >= 0
}

// percent encodes what would be decoded otherwise.
func percent(s string) string {
	const hex = "0123456789ABCDEF"
	var b []byte
	for i := range len(s) {
		if c := s[i]; c == '%' || c >= 0x80 {
			b = append(b, '%', hex[c>>4], hex[c&15])
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}
