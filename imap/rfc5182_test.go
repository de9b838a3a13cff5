package imap_test

import "testing"

// RFC 5182 section 2.2, examples 1 to 4 and 6, and section 2.3, examples 7 and 9.
func TestRFC5182(t *testing.T) {
	r := searchable(t, 50, 2, 33, 41)
	c := r.selecting()
	c.do("CREATE Junk")
	c.do(`CREATE "Other Messages"`)
	c.play(`
		C: A282 SEARCH RETURN (SAVE) FLAGGED SINCE 1-Feb-1994 NOT FROM "Smith"
		C: A283 FETCH $ (UID INTERNALDATE FLAGS)
		S: A282 OK SEARCH completed
		S: * 33 FETCH (UID 33 INTERNALDATE " 2-Feb-1994 12:00:00 +0000" FLAGS (\Flagged \Recent))
		S: * 41 FETCH (UID 41 INTERNALDATE "10-Feb-1994 12:00:00 +0000" FLAGS (\Flagged \Recent))
		S: A283 OK FETCH completed
		C: A300 SEARCH RETURN (SAVE) SINCE 14-Feb-1994 NOT FROM "Smith"
		S: A300 OK SEARCH completed
		C: A301 UID SEARCH UID $ SMALLER 4096
		S: * SEARCH 46 47 48 49
		S: A301 OK SEARCH completed
		C: A302 UID SEARCH $ SMALLER 4096
		S: * SEARCH 46 47 48 49
		S: A302 OK SEARCH completed
		C: P283 SEARCH CHARSET UTF-8 (OR $ 1,3000:3021) TEXT {7+}
		MESSAGE
		S: * SEARCH 1 46 47 48 49
		S: P283 OK SEARCH completed
		C: E282 SEARCH RETURN (SAVE) SINCE 28-Oct-2006 NOT FROM "Eric"
		C: E283 COPY $ "Other Messages"
		S: E282 OK SEARCH completed
		S: E283 OK COPY completed
		C: F281 STORE 4,9 +FLAGS.SILENT ($Junk)
		C: F282 SEARCH RETURN (SAVE) KEYWORD $Junk
		C: F283 COPY $ "Junk"
		C: F284 STORE $ +FLAGS.Silent (\Deleted)
		S: F281 OK STORE completed
		S: F282 OK SEARCH completed
		S: F283 OK [COPYUID 2 4,9 1:2] COPY completed
		S: F284 OK STORE completed
		C: H282 SEARCH RETURN (SAVE) KEYWORD $Junk
		C: H283 SEARCH RETURN (SAVE) SINCE 19-Feb-1994 FROM "John"
		C: H284 SEARCH RETURN (ALL) $
		S: H282 OK SEARCH completed
		S: H283 OK SEARCH completed
		S: * ESEARCH (TAG "H284") ALL 50
		S: H284 OK SEARCH completed
		C: H285 UID MOVE $ Junk
		S: * OK [COPYUID 2 50 3] Moved
		S: * 50 EXPUNGE
		S: H285 ...
		C: H286 SEARCH RETURN (COUNT) $
		S: * ESEARCH (TAG "H286") COUNT 0
		S: H286 OK SEARCH completed
	`)
}
