package locale_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

const goodHeavy = `schema = 1
[suicide]
nl = ["zelfmoord*", "wil|wou * dood"]
en = ["suicide"]
except = ["dood hout"]
[danger]
nl = ["mes"]
en = ["knife"]
[safety]
nl = ["mishandel*"]
en = ["abuse"]
[aggression]
nl = ["klap"]
en = ["punched"]
[conduct]
nl = ["gepest"]
en = ["bullied"]
[integrity]
nl = ["corrupt*"]
en = ["bribe*"]
`

func TestHeavyDecodes(t *testing.T) {
	builtin, err := locale.Heavy()
	if err != nil {
		t.Fatal(err)
	}
	own, err := locale.DecodeHeavy(strings.NewReader("\ufeff" + goodHeavy))
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range [][]locale.HeavyWords{builtin, own} {
		for i, k := range locale.HeavyKinds() {
			if len(list) != len(locale.HeavyKinds()) || list[i].Kind != k || len(list[i].Phrases) < 2 {
				t.Fatalf("kind %d is not %s with phrases in two languages", i, k)
			}
		}
	}
	if p := own[0].Phrases[1]; len(p) != 3 || len(p[0]) != 2 || p[1] != nil || p[2][0] != "dood" {
		t.Errorf("phrase %q", p)
	}
}

// An own file is refused with all that is wrong with it, each at its row and column.
func TestHeavyRefused(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string
		want     []string
	}{
		"unknown keys":    {`except = ["dood hout"]`, "also = 1\nmore = 2", []string{"row 5, column 1: unknown key suicide.also", "row 6, column 1: unknown key suicide.more"}},
		"wrong type":      {`nl = ["mes"]`, `nl = "mes"`, []string{"row 7, column "}},
		"broken":          {`nl = ["mes"]`, `nl = ["mes"`, []string{"row "}},
		"schema":          {`schema = 1`, `schema = 2`, []string{"schema is 2"}},
		"missing table":   {"[danger]\nnl = [\"mes\"]\nen = [\"knife\"]\n", "", []string{"[danger] is missing"}},
		"no English":      {`en = ["knife"]`, `en = []`, []string{"[danger] needs"}},
		"two phrases":     {`["zelfmoord*", "wil|wou * dood"]`, `["ze*", "wil * ", "a*b", "|x", ""]`, []string{`row 3, column 7: [suicide] "ze*"`, `row 3, column 14: [suicide] "wil * "`, `row 3, column 24: [suicide] "a*b"`, `[suicide] "|x"`, "empty"}},
		"twice":           {`nl = ["klap"]`, `nl = ["klap", "Klap"]`, []string{`row 13, column 15: [aggression] "Klap": stands there twice`}},
		"many gaps":       {`nl = ["klap"]`, `nl = ["a * b * c * d"]`, []string{"row 13", "more than 2"}},
		"many words":      {`nl = ["klap"]`, `nl = ["a b c d e f g h i"]`, []string{"row 13", "more than 8"}},
		"same at a place": {`nl = ["klap"]`, `nl = ["klap|klap"]`, []string{"row 13", "twice at the same place"}},
		"too large":       {`nl = ["klap"]`, `nl = ["` + strings.Repeat("k", 1<<20) + `"]`, []string{"larger than 1 MiB"}},
		"too many":        {`nl = ["klap"]`, `nl = ["a` + strings.Repeat(`", "a`, 1) + many() + `"]`, []string{"more than 2000"}},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(goodHeavy, c.old, c.new, 1)
			if text == goodHeavy {
				t.Fatal("nothing changed")
			}
			_, err := locale.DecodeHeavy(strings.NewReader(text))
			if err == nil {
				t.Fatal("read")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if _, placed := errors.AsType[prompts.SyntaxError](err); strings.HasPrefix(c.want[0], "row") && !placed {
				t.Errorf("%v has no place", err)
			}
		})
	}
}

// many gives 2,000 further phrases.
func many() string {
	var out strings.Builder
	for i := range 2000 {
		out.WriteString(`", "woord` + strings.Repeat("x", i%40) + strings.Repeat("y", i/40))
	}
	return out.String()
}

// Whatever stands in a file: a list or an error, never both.
func FuzzDecodeHeavy(f *testing.F) {
	f.Add(goodHeavy)
	f.Add("schema = 1")
	f.Add(strings.Replace(goodHeavy, "klap", "* * |", 1))
	f.Fuzz(func(t *testing.T, text string) {
		list, err := locale.DecodeHeavy(strings.NewReader(text))
		if (list == nil) == (err == nil) {
			t.Fatalf("%v and %v", list, err)
		}
	})
}
