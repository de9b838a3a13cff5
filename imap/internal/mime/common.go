package mime

// commonFields are the fields that mail readers ask for to make their lists of messages:
// what Encode keeps of a header as it stands. Those that a header has not got cost nothing.
// A change of them is a new derivedVersion.
var commonFields = fieldSet(
	"From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Subject", "Date", "Message-ID", "In-Reply-To", "References",
	"Newsgroups", "Followup-To", "Mail-Followup-To", "Mail-Reply-To", "Return-Path", "Delivered-To",
	"List-ID", "List-Post", "List-Help", "List-Archive", "List-Subscribe", "List-Unsubscribe", "List-Unsubscribe-Post",
	"MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Content-Description", "Content-Disposition", "Content-Language", "Content-Location", "Content-MD5", "Content-ID", "Content-Class",
	"Priority", "Importance", "Precedence", "Auto-Submitted", "Lines", "X-Priority", "X-MSMail-Priority", "X-Label", "X-Keywords", "X-Original-To",
	"Disposition-Notification-To", "Return-Receipt-To", "X-Confirm-Reading-To", "X-Spam-Flag", "X-Spam-Level", "X-Spam-Score",
	"X-TUID", "X-OfflineIMAP", "X-Draft-Info", "X-K9mail-Identity", "X-Uniform-Type-Identifier", "X-Universally-Unique-Identifier",
)

// maxCommon bounds the octets of common fields that are kept. Of a header with more of
// them none are.
const maxCommon = 4 << 10

func fieldSet(names ...string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[string(appendFolded(nil, name))] = true
	}
	return set
}

// isCommon reports whether a field is one of commonFields, whatever its case.
func isCommon[T string | []byte](name T) bool {
	var room [40]byte
	return len(name) <= len(room) && commonFields[string(appendFolded(room[:0], name))]
}

func appendFolded[T string | []byte](b []byte, name T) []byte {
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}

// IsCommon reports whether the filter can be answered by what Encode keeps of a header.
func (f HeaderFilter) IsCommon() bool {
	if f.Not {
		return false
	}
	for _, name := range f.Names {
		if !isCommon(name) {
			return false
		}
	}
	return true
}

// AppendFields appends what f is of the message's header. It reports false if that must be
// made of the header itself.
func (d *Derived) AppendFields(b []byte, f HeaderFilter) ([]byte, bool) {
	if d.flags&flagCommon == 0 || !f.IsCommon() {
		return b, false
	}
	return f.Append(b, d.item(itemCommon)), true
}
