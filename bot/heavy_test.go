package bot_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
)

func heavyList(t testing.TB) []locale.HeavyWords {
	t.Helper()
	list, err := locale.Heavy()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

type heavyLine struct {
	place, text string
	want        []locale.HeavyKind
	beyond      bool // said in a way that no list of words sees: counted, not judged
}

// heavyCorpus reads a corpus of replies; heavy-heldout.txt says how it is written.
func heavyCorpus(t testing.TB, name string) []heavyLine {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []heavyLine
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		kinds, text, ok := strings.Cut(line, ": ")
		if !ok {
			t.Fatalf("%s:%d: no kinds", name, n)
		}
		l := heavyLine{place: fmt.Sprintf("%s:%d", name, n), text: text}
		kinds, l.beyond = strings.CutPrefix(kinds, "?")
		if kinds != "-" {
			for k := range strings.SplitSeq(kinds, ", ") {
				if !slices.Contains(locale.HeavyKinds(), locale.HeavyKind(k)) {
					t.Fatalf("%s: no kind %q", l.place, k)
				}
				l.want = append(l.want, locale.HeavyKind(k))
			}
		}
		out = append(out, l)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// What is heavy is seen, suicide above all, and ordinary talk of the work is let be. The last corpus says what the list sees
// of phrasings that it was not made for: some half of those about suicide. A list is a
// signpost for who says it plainly, and no safety net.
func TestHeavyOnCorpus(t *testing.T) {
	list := heavyList(t)
	for _, corpus := range []struct {
		name           string
		suicide, other float64 // least recall
	}{{"heavy-corpus.txt", 0.95, 0.85}, {"heavy-heldout.txt", 0.95, 0.85}, {"heavy-later.txt", 0.5, 0}} {
		t.Run(corpus.name, func(t *testing.T) {
			type count struct{ lines, seen, others int }
			counts := map[locale.HeavyKind]*count{}
			for _, k := range locale.HeavyKinds() {
				counts[k] = &count{}
			}
			ordinary, alarms, beyond, beyondSeen := 0, 0, 0, 0
			for _, line := range heavyCorpus(t, corpus.name) {
				found := bot.FindHeavy(line.text, list)
				if line.want == nil {
					ordinary++
					if len(found) > 0 {
						alarms++
						t.Logf("%s: %v found in the ordinary %q", line.place, found, line.text)
					}
					continue
				}
				if line.beyond {
					beyond++
					if len(found) > 0 {
						beyondSeen++
					}
					continue
				}
				for _, k := range line.want {
					counts[k].lines++
					if slices.Contains(found, k) {
						counts[k].seen++
					} else {
						t.Logf("%s: %s missed in %q", line.place, k, line.text)
					}
				}
				for _, k := range found {
					if !slices.Contains(line.want, k) {
						counts[k].others++
					}
				}
			}
			var table strings.Builder
			fmt.Fprintf(&table, "%-10s %5s %5s %6s %s\n", "kind", "lines", "seen", "recall", "beside another kind")
			for _, k := range locale.HeavyKinds() {
				c := counts[k]
				recall := ratio(c.seen, c.lines)
				fmt.Fprintf(&table, "%-10s %5d %5d %6.3f %d\n", k, c.lines, c.seen, recall, c.others)
				least := corpus.other
				if k == locale.HeavySuicide {
					least = corpus.suicide
				}
				if recall < least {
					t.Errorf("%s: recall %.3f, want %.2f", k, recall, least)
				}
			}
			fmt.Fprintf(&table, "said without the words: %d of %d seen\n", beyondSeen, beyond)
			fmt.Fprintf(&table, "false alarms on ordinary replies: %d of %d\n", alarms, ordinary)
			if alarms*50 > ordinary { // 2 in 100
				t.Errorf("%d of %d ordinary replies are found heavy", alarms, ordinary)
			}
			t.Log(table.String())
		})
	}
}

// The library's own words and what the demo's crew says are not heavy.
func TestNothingHeavyInOrdinaryTexts(t *testing.T) {
	list := heavyList(t)
	texts := ordinary(t)
	if len(texts) < 500 {
		t.Errorf("only %d texts", len(texts))
	}
	for _, text := range texts {
		if found := bot.FindHeavy(text, list); len(found) > 0 {
			t.Errorf("%v in %q", found, text)
		}
	}
}

// Whole words, whatever their case, accents and apostrophes; a star, alternatives and gaps; no phrase runs over the end of
// a sentence; an exception only takes away what it lies on.
func TestHeavyPhrases(t *testing.T) {
	list, err := locale.DecodeHeavy(strings.NewReader(`schema = 1
suicide = {nl = ["Zelfm\u00f3\u00f3rd*", "wil|wou * dood", "collega's weg"], en = ["don't want to"], except = ["dood hout"]}
danger = {nl = ["mes"], en = ["knife"]}
safety = {nl = ["kind"], en = ["child"]}
aggression = {nl = ["klap"], en = ["punch"]}
conduct = {nl = ["pest"], en = ["bully"]}
integrity = {nl = ["jat"], en = ["bribe"]}
`))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"ZELFMOORDPOGING": "[suicide]", "een zelfmo\u0301o\u0301rd": "[suicide]", "zelf\u200bmoord": "[suicide]", "nietzelfmoord": "[]", "zelfm": "[]",
		"ik wil dood": "[suicide]", "ik wil niet echt dood": "[suicide]", "ik wil\ndood": "[suicide]", "ik wil... dood": "[suicide]", "ik wil. Dood": "[]", "wil je? dood": "[]",
		"wil een twee drie vier vijf dood": "[suicide]", "wil een twee drie vier vijf zes dood": "[]", "wilde dood": "[]",
		"ik wil dood hout weg": "[]", "ik wil dood hout weg en dan wil ik dood": "[suicide]",
		"collega\u2019s weg": "[suicide]", "collegas weg": "[suicide]", "I dont want to": "[suicide]", "I don't want to": "[suicide]",
		"jat een mes": "[danger integrity]", "": "[]", "\xff\xfe": "[]", "*": "[]",
	} {
		if got := fmt.Sprint(bot.FindHeavy(text, list)); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	if found := bot.FindHeavy("ik wil dood", nil); found != nil {
		t.Errorf("%v without a list", found)
	}
}

// As fast as the hints (P5): 4,000 bytes in less than 5 ms.
func BenchmarkFindHeavy(b *testing.B) {
	list := heavyList(b)
	part := "De bewoner wilde er een eind aan maken, aan die rommel, en hij zei dat zijn collega een mes had in de kas. Ik wil niet meer dan een uur per straat. "
	text := strings.Repeat(part, 1+bot.MaxReplyBytes/len(part))[:bot.MaxReplyBytes]
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		bot.FindHeavy(text, list)
	}
}

// FuzzHeavy: whatever somebody writes, kinds come once and in order of urgency, fast (P5); what is put before it as a
// sentence of its own is seen as well.
func FuzzHeavy(f *testing.F) {
	for _, name := range []string{"heavy-corpus.txt", "heavy-heldout.txt"} {
		for i, line := range heavyCorpus(f, name) {
			if i%9 == 0 {
				f.Add(line.text)
			}
		}
	}
	for _, s := range []string{strings.Repeat("er ", 1300), strings.Repeat("wil ", 1000), strings.Repeat("'", 4000), strings.Repeat("a'", 2000), strings.Repeat("er een eind aan ", 250),
		strings.Repeat("van ", 1000), strings.Repeat("ik ", 1300), strings.Repeat("uren ", 800), "\xff\xfe", strings.Repeat("\u00e9", 2000), strings.Repeat("leven niet meer ", 250)} {
		f.Add(s)
	}
	list := heavyList(f)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 16*bot.MaxReplyBytes { // longer ones are refused before
			return
		}
		found := bot.FindHeavy(text, list)
		last := -1
		for _, k := range found {
			i := slices.Index(locale.HeavyKinds(), k)
			if i <= last {
				t.Fatalf("%v in %q", found, text)
			}
			last = i
		}
		if with := bot.FindHeavy("Hij wil zelfmoord plegen! "+text, list); !slices.Contains(with, locale.HeavySuicide) {
			t.Fatalf("%v before %q", with, text)
		}
		if len(text) <= bot.MaxReplyBytes {
			quick(t, 50*time.Millisecond, func() { bot.FindHeavy(text, list) })
		}
	})
}
