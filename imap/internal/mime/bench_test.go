package mime_test

import (
	"bytes"
	"fmt"
	"io"
	"net/mail"
	"strings"
	"testing"

	gomessage "github.com/emersion/go-message"

	"github.com/mailparts/mailparts/imap/internal/mime"
)

// ordinary is a message of 50 KB as they come: trace fields, two texts, an attachment.
func ordinary() string {
	var b strings.Builder
	for i := range 6 {
		fmt.Fprintf(&b, "Received: from mx%d.example.org (mx%d.example.org [192.0.2.%d])\n\tby mail.example.net with ESMTPS id 12345;\n\tThu, 15 Feb 2024 01:02:0%d +0200\n", i, i, i, i)
	}
	b.WriteString(`DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=a;
	h=from:to:subject; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;
	b=` + strings.Repeat("abcdefgh", 40) + `
Date: Thu, 15 Feb 2024 01:02:03 +0200
From: Ann Example <ann@example.org>
To: Bob Example <bob@example.net>, "Carl, E." <carl@example.net>
Cc: list@example.com
Subject: =?utf-8?q?Caf=C3=A9?= on Friday
Message-ID: <20240215010203.12345@example.org>
In-Reply-To: <20240214.1@example.net>
References: <20240213.0@example.net> <20240214.1@example.net>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="----=_Part_1"

--` + `----=_Part_1
Content-Type: multipart/alternative; boundary="----=_Part_1_2"

------=_Part_1_2
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

` + strings.Repeat("The quick brown fox jumps over the lazy dog, and so on for a while.\n", 40) + `
------=_Part_1_2
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<html><body>` + strings.Repeat("<p>The quick brown fox jumps over the lazy dog, and so on.</p>\n", 60) + `</body></html>
------=_Part_1_2--

------=_Part_1
Content-Type: application/pdf; name="a.pdf"
Content-Disposition: attachment; filename="a.pdf"
Content-Transfer-Encoding: base64

` + strings.Repeat("JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSL0ZpbHRlci9GbGF0ZURl\n", 520) + `
------=_Part_1--
`)
	return crlf(b.String())
}

func BenchmarkScan(b *testing.B) {
	msg := ordinary()
	b.SetBytes(int64(len(msg)))
	b.Run("Scan", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(msg)))
		r := strings.NewReader(msg)
		for b.Loop() {
			r.Reset(msg)
			if _, err := mime.Scan(r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("go-message", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(msg)))
		for b.Loop() {
			e, err := gomessage.Read(strings.NewReader(msg))
			if err != nil {
				b.Fatal(err)
			}
			err = e.Walk(func(_ []int, e *gomessage.Entity, err error) error {
				if err == nil && e.MultipartReader() == nil {
					_, err = io.Copy(io.Discard, e.Body)
				}
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("net-mail", func(b *testing.B) { // the outer header alone
		b.ReportAllocs()
		b.SetBytes(int64(len(msg)))
		for b.Loop() {
			m, err := mail.ReadMessage(strings.NewReader(msg))
			if err != nil {
				b.Fatal(err)
			}
			io.Copy(io.Discard, m.Body)
		}
	})
}

func BenchmarkScanLarge(b *testing.B) {
	msg := "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\n" + strings.Repeat(strings.Repeat("a", 76)+"\r\n", 1<<17)
	b.SetBytes(int64(len(msg)))
	b.ReportAllocs()
	for b.Loop() {
		mime.Scan(strings.NewReader(msg))
	}
}

func BenchmarkRender(b *testing.B) {
	p := scan(b, ordinary())
	buf := make([]byte, 0, 4<<10)
	b.Run("Envelope", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf = mime.AppendEnvelope(buf[:0], p.Envelope, false)
		}
	})
	b.Run("BodyStructure", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf = mime.AppendBodyStructure(buf[:0], p, true, false)
		}
	})
	b.Run("Encode", func(b *testing.B) {
		b.ReportAllocs()
		var n int
		for b.Loop() {
			n = len(mime.Encode(p))
		}
		b.ReportMetric(float64(n), "octets")
	})
}

func BenchmarkDerived(b *testing.B) {
	enc := mime.Encode(scan(b, ordinary()))
	b.Run("Envelope", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			d, ok := mime.View(enc)
			if !ok || len(d.Envelope(false)) == 0 {
				b.Fatal()
			}
		}
	})
	b.Run("Tree", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			d, _ := mime.View(enc)
			if _, ok := d.Tree(); !ok {
				b.Fatal()
			}
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	english := bytes.Repeat([]byte("The quick brown fox jumps over the lazy dog, and so on for a while.\r\n"), 15_000)
	greek := bytes.Repeat([]byte("Η γρήγορη καφέ αλεπού πηδάει πάνω από το τεμπέλικο σκυλί\r\n"), 10_000)
	for _, bb := range []struct {
		name, needle string
		text         []byte
	}{
		{"ascii", "not there at all", english},
		{"ascii-common", "theta", english},
		{"beyond", "Σκυλιά", greek},
		{"ascii-in-greek", "skylia", greek},
	} {
		b.Run(bb.name, func(b *testing.B) {
			m := mime.NewMatcher(bb.needle)
			b.SetBytes(int64(len(bb.text)))
			b.ReportAllocs()
			for b.Loop() {
				if found, _ := m.Match(bytes.NewReader(bb.text)); found {
					b.Fatal()
				}
			}
		})
	}
}

func BenchmarkBinary(b *testing.B) {
	for _, bb := range []struct{ encoding, text string }{
		{"base64", strings.Repeat("JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSL0ZpbHRlci9GbGF0ZURl\r\n", 1000)},
		{"quoted-printable", strings.Repeat("The quick brown fox =C3=A9 jumps over the lazy dog, and so on for =\r\n", 1000)},
	} {
		b.Run(bb.encoding, func(b *testing.B) {
			b.SetBytes(int64(len(bb.text)))
			b.ReportAllocs()
			for b.Loop() {
				r, _ := mime.NewBinaryReader(strings.NewReader(bb.text), bb.encoding)
				io.Copy(io.Discard, r)
			}
		})
	}
}
