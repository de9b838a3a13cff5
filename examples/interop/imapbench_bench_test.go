package interop_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkImapbench is BenchmarkIMAP by a client that is not ours: imapbench of the
// project's bench, which lies beside the project. Medians of three
// runs, each of which begins without any index: rows named first are cold. Of those that
// imapbench repeats it tells the median itself.
//
//	MAILPARTS_BENCH_MESSAGES=10000,100000 go test ./examples/interop -run '^$' -bench Imapbench -timeout 3h
func BenchmarkImapbench(b *testing.B) {
	const source, rounds = "../../../shared/bench", 3
	if _, err := os.Stat(source); err != nil {
		b.Skip("the project's bench is not there: ", err)
	}
	program := filepath.Join(b.TempDir(), "imapbench")
	if out, err := exec.Command("go", "build", "-C", source, "-o", program, "./imapbench").CombinedOutput(); err != nil {
		b.Fatalf("imapbench: %v\n%s", err, out)
	}
	for _, n := range benchSizes() {
		b.Run(fmt.Sprint("messages=", n), func(b *testing.B) {
			ours, theirs := imapTwins(b, n)
			var rows []string
			took := map[string]*[2][]time.Duration{}
			for range rounds {
				for i, t := range []*imapTwin{ours, theirs} {
					t.forget()
					for _, row := range t.imapbench(program) {
						if took[row.name] == nil {
							rows = append(rows, row.name)
							took[row.name] = new([2][]time.Duration)
						}
						took[row.name][i] = append(took[row.name][i], row.took)
					}
				}
			}
			for _, name := range rows {
				b.Run(name, func(b *testing.B) {
					we, they := median(took[name][0]), median(took[name][1])
					b.ReportMetric(0, "ns/op")
					b.ReportMetric(we, "ms")
					b.ReportMetric(they, "dovecot-ms")
					b.ReportMetric(they/we, "of-dovecot")
				})
			}
		})
	}
}

// imapbenchRow is a line that imapbench prints: a name, and the seconds that it took.
type imapbenchRow struct {
	name string
	took time.Duration
}

var imapbenchLine = regexp.MustCompile(`(?m)^(\S.*?) +([0-9]+\.[0-9]+) s`)

// imapbench times all that imapbench can.
func (t *imapTwin) imapbench(program string) (rows []imapbenchRow) {
	t.Helper()
	out, err := exec.Command(program, "-addr", t.addr, "-user", "alice", "-pass", "secret").CombinedOutput()
	if err != nil || strings.Contains(string(out), " -> ") {
		t.Fatalf("imapbench: %v\n%s", err, out)
	}
	for _, line := range imapbenchLine.FindAllStringSubmatch(string(out), -1) {
		seconds, err := strconv.ParseFloat(line[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, imapbenchRow{line[1], time.Duration(seconds * float64(time.Second))})
	}
	return rows
}
