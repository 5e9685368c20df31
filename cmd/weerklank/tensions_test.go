package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/prompts"
)

// A line of any length is no text: it is told by its row, without its words, and soon.
func TestTensionsOfALongLine(t *testing.T) {
	long := strings.Repeat("GEHEIM vlot ", longestText/12+1)
	for name, c := range map[string]struct {
		text, want string
		lines      int
	}{
		"the longest":        {"Vlot.\n" + long[:longestText] + "\r\nVlot.\n", "", 3},
		"longer":             {"Vlot.\n" + long + "\nVlot.\n", "-, rij 2: de tekst is langer dan 64000 bytes", 1},
		"without a new line": {long, "-, rij 1: de tekst is langer dan 64000 bytes", 0},
	} {
		var out bytes.Buffer
		e := &env{lookup: unset, stdin: strings.NewReader(c.text), stdout: &out, stderr: &out, lang: prompts.Dutch}
		err := cmdTensions(t.Context(), e, []string{"suggest"})
		got := ""
		if err != nil {
			got = err.Error()
		}
		if c.want != got || strings.Count(out.String(), "\n") != c.lines {
			t.Errorf("%s: %q, %d lines", name, got, strings.Count(out.String(), "\n"))
		}
	}
	file := filepath.Join(t.TempDir(), "long.tsv")
	if err := os.WriteFile(file, []byte("1\tnl\ta\t\t\t"+long+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := &env{lookup: unset, stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}, lang: prompts.Dutch}
	if err := cmdTensions(t.Context(), e, []string{"suggest", "--score", file}); err == nil || !strings.HasSuffix(err.Error(), "rij 1: de tekst is langer dan 64000 bytes") {
		t.Errorf("%.200v", err)
	}
}
