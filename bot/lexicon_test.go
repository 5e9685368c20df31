package bot_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/scorertest"
	"github.com/weerklank/weerklank/prompts"
)

func tensionIDs(l prompts.Library) (ids []prompts.TensionID) {
	for _, t := range l.Tensions {
		ids = append(ids, t.ID)
	}
	return ids
}

func evidenceOf(t testing.TB, s bot.Scorer, text string, lang prompts.Lang) []bot.Evidence {
	t.Helper()
	found, err := s.Score(t.Context(), text, lang)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// reasonsOf are the words that speak for the best tension.
func reasonsOf(text string, found []bot.Evidence) (out []string) {
	for _, r := range found[0].Reasons {
		out = append(out, r.In(text))
	}
	return out
}

func TestLexiconKeepsTheContract(t *testing.T) {
	lib := library(t)
	scorertest.Run(t, tensionIDs(*lib), func(*testing.T) bot.Scorer { return bot.NewLexicon(*lib) })
	t.Run("planted", func(t *testing.T) {
		text, one := "Eén regel.", []prompts.TensionID{"a", "b"}
		good := []bot.Evidence{{Tension: "a", Score: 2, Reasons: []bot.Range{{From: 0, To: 4}, {From: 5, To: 10}}}, {Tension: "b", Score: 1}}
		if err := scorertest.Check(text, one, good); err != nil {
			t.Error(err)
		}
		for name, spoil := range map[string]func([]bot.Evidence){
			"half a word":      func(e []bot.Evidence) { e[0].Reasons[1].To = 8 },
			"half a letter":    func(e []bot.Evidence) { e[0].Reasons[0].To = 2 },
			"outside":          func(e []bot.Evidence) { e[0].Reasons[1].To = 99 },
			"out of order":     func(e []bot.Evidence) { slices.Reverse(e[0].Reasons) },
			"four":             func(e []bot.Evidence) { e[0].Reasons = slices.Repeat(e[0].Reasons, 2) },
			"worst first":      func(e []bot.Evidence) { slices.Reverse(e) },
			"one tension only": func(e []bot.Evidence) { e[1].Tension = "a" },
		} {
			bad := slices.Clone(good)
			bad[0].Reasons = slices.Clone(bad[0].Reasons)
			spoil(bad)
			if scorertest.Check(text, one, bad) == nil {
				t.Errorf("planted violation passed: %s", name)
			}
		}
	})
}

// without is the library without one example, so that it is unseen.
func without(l prompts.Library, tension int, lang prompts.Lang, example int) prompts.Library {
	l.Tensions = slices.Clone(l.Tensions)
	t := &l.Tensions[tension]
	t.Definitions = maps.Clone(t.Definitions)
	d := t.Definitions[lang]
	d.Examples = slices.Delete(slices.Clone(d.Examples), example, example+1)
	t.Definitions[lang] = d
	return l
}

// Who names the tension is recognised: each example of the library, left out in turn (TENSIONS 11, 7).
func TestExamplesAreRecognised(t *testing.T) {
	lib := *library(t)
	n, first, spoke, right := 0, 0, 0, 0
	for i, tension := range lib.Tensions {
		for _, lang := range prompts.Langs() {
			for k, text := range tension.Definitions[lang].Examples {
				found := evidenceOf(t, bot.NewLexicon(without(lib, i, lang, k)), text, lang)
				ok := found[0].Tension == tension.ID
				n++
				if ok {
					first++
				}
				if bot.Strict.Speaks(found) {
					spoke++
					if ok {
						right++
					}
				}
			}
		}
	}
	t.Logf("%d examples: first %d, strict speaks %d, right %d", n, first, spoke, right)
	if n != 35 || float64(first) < .85*float64(n) || float64(spoke) < .70*float64(n) || float64(right) < .95*float64(spoke) {
		t.Errorf("%d examples: first %d, strict speaks %d, right %d", n, first, spoke, right)
	}
}

// A reason that only repeats words of another is none.
func TestReasonsDoNotRepeat(t *testing.T) {
	x := bot.NewLexicon(*library(t))
	for text, want := range map[string][]string{
		"Volgens de regels moest ik wachten, en die regels ken ik.": {"Volgens de regels", "wachten"},
	} {
		if got := reasonsOf(text, evidenceOf(t, x, text, prompts.Dutch)); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// graded is one sentence whose tension is known; primary is empty if it is about something else.
type graded struct {
	id, setting, text string
	lang              prompts.Lang
	primary           prompts.TensionID
}

func gradedReplies(t testing.TB) []graded {
	t.Helper()
	raw, err := os.ReadFile("testdata/tensions.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var all []graded
	for line := range strings.Lines(string(raw)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 6 {
			t.Fatalf("%q", line)
		}
		if f[0] != "id" {
			all = append(all, graded{f[0], f[2], f[5], prompts.Lang(f[1]), prompts.TensionID(strings.TrimPrefix(f[3], "none"))})
		}
	}
	return all
}

// What the definitions are worth on sentences that were written after them and never changed them: those that name a
// tension are recognised, those that tell what happened far less, and there the strict mirror is silent rather than wrong.
func TestDefinitionsAreWorthSomething(t *testing.T) {
	x := bot.NewLexicon(*library(t))
	type sum struct{ n, first, two, strict, right int }
	sums := map[string]sum{}
	var about, none []float64
	for _, g := range gradedReplies(t) {
		found := evidenceOf(t, x, g.text, g.lang)
		s := sums[g.setting]
		s.n++
		ok := found[0].Tension == g.primary
		if ok {
			s.first++
		}
		if ok || found[1].Tension == g.primary {
			s.two++
		}
		if bot.Strict.Speaks(found) {
			s.strict++
			if ok {
				s.right++
			}
		}
		sums[g.setting] = s
		if g.primary == "" {
			none = append(none, found[0].Score)
		} else if g.setting != "direct" {
			about = append(about, found[0].Score)
		}
	}
	var wins float64
	for _, a := range about {
		for _, b := range none {
			switch {
			case a > b:
				wins++
			case a == b:
				wins += 0.5
			}
		}
	}
	auc := wins / float64(len(about)*len(none))
	direct, short, long := sums["direct"], sums["indirect"], sums["indirect2"]
	t.Logf("AUC %.2f, direct %+v, indirect short %+v, long %+v, about something else %+v %+v", auc, direct, short, long, sums["none"], sums["none2"])
	if direct.n < 25 || float64(direct.first) < .9*float64(direct.n) || direct.right < direct.strict {
		t.Errorf("direct: %+v", direct)
	}
	n, two, strict := short.n+long.n, short.two+long.two, short.strict+long.strict+sums["none"].strict+sums["none2"].strict
	if n < 60 || float64(two) < .60*float64(n) {
		t.Errorf("indirect: among the best two %d of %d", two, n)
	}
	if auc < .65 || float64(strict) > .05*float64(n+len(none)) {
		t.Errorf("AUC %.2f, strict speaks %d times of %d", auc, strict, n+len(none))
	}
}

// Every text of the library is in the language it is in (TENSIONS 11, 9).
func TestLanguageVote(t *testing.T) {
	lib := library(t)
	n, right := 0, 0
	vote := func(lang prompts.Lang, texts ...string) {
		for _, text := range texts {
			n++
			other := prompts.Dutch
			if lang == prompts.Dutch {
				other = prompts.English
			}
			if bot.TextLang(text, other) == lang { // the team speaks the other
				right++
			}
		}
	}
	for _, lang := range prompts.Langs() {
		for _, p := range lib.Prompts {
			w := p.Words[lang]
			vote(lang, w.Text, w.Question, strings.Join(w.Followups, " "))
		}
		for _, tension := range lib.Tensions {
			d := tension.Definitions[lang]
			vote(lang, append(d.Examples, d.Description)...)
		}
	}
	for _, g := range gradedReplies(t) {
		vote(g.lang, g.text)
	}
	t.Logf("%d of %d", right, n)
	if float64(right) < .98*float64(n) {
		t.Errorf("%d of %d", right, n)
	}
	for text, want := range map[string]prompts.Lang{"": "en", "42": "en", "is in of was": "en", "Prima": "en", "schijnbaar": "nl", "gewaaid": "nl", "walked": "en"} {
		if got := bot.TextLang(text, "en"); got != want {
			t.Errorf("%q is %s", text, got)
		}
	}
	if bot.TextLang("Prima", "nl") != "nl" || bot.TextLang("Prima", "fr") != "nl" {
		t.Error("where nothing tells, the team's language")
	}
}

// What a reason is: whole words as they were written, a phrase in one piece, nothing twice, no language's small words.
func TestReasons(t *testing.T) {
	x := bot.NewLexicon(*library(t))
	for _, c := range []struct {
		text    string
		tension prompts.TensionID
		words   []string
	}{
		{"De WACHTLIJST daar.", "quality-speed", []string{"WACHTLIJST"}},
		{"Dit was ter plekke nodig.", "policy-practice", []string{"ter plekke", "nodig"}},
		{"Ons PROTOCOLBOEK zegt iets.", "policy-practice", []string{"PROTOCOLBOEK"}},
		{"De wethouder, de wethouder, de Wethouder!", "politics-judgement", []string{"wethouder"}},
		{"De we\u0301thouder belde niet.", "politics-judgement", []string{"we\u0301thouder"}},
		{"’s Ochtends ging ik er met haar foto’s langs: lintje.", "politics-judgement", []string{"foto’s", "lintje"}},
		{"I turned a blind eye.", "tailoring-equality", []string{"turned a blind eye"}},
		{"", "policy-practice", nil},
		{"met de van het", "policy-practice", nil},
	} {
		found := evidenceOf(t, x, c.text, "nl")
		if got := reasonsOf(c.text, found); found[0].Tension != c.tension || !slices.Equal(got, c.words) {
			t.Errorf("%q: %s %q", c.text, found[0].Tension, got)
		}
	}
	if e := evidenceOf(t, x, "iets heel anders over een zwaan", "nl"); bot.Strict.Speaks(e) {
		t.Error("a swan")
	}
}

// Phrases hold together: over the end of a sentence, or with a word between, they are none.
func TestPhrases(t *testing.T) {
	x := bot.NewLexicon(*library(t))
	best := func(text string) float64 {
		for _, e := range evidenceOf(t, x, text, "nl") {
			if e.Tension == "tailoring-equality" {
				return e.Score
			}
		}
		return 0
	}
	whole := best("Toen ik het door de vingers zag")
	for _, apart := range []string{"Toen ik het door. De vingers zag", "Toen ik het door de lange vingers zag"} {
		if got := best(apart); got >= whole {
			t.Errorf("%q: %.2f, whole %.2f", apart, got, whole)
		}
	}
	if a, b := best("een uitzondering"), best("een uitzonderingssituatie"); b < 0.4*a {
		t.Errorf("in a compound %.2f of %.2f", b, a)
	}
}

// The order of prompts in memory and that of maps make no difference to a byte; the tensions keep their fixed order where
// nothing tells (TENSIONS 11, 11).
func TestLexiconIsDeterministic(t *testing.T) {
	lib := *library(t)
	texts := scorertest.Texts()
	for _, g := range gradedReplies(t) {
		texts = append(texts, g.text)
	}
	random := rand.New(rand.NewPCG(3, 0))
	var want []byte
	runs := 20
	if os.Getenv("WEERKLANK_LONG") != "" {
		runs = 100
	}
	for run := range runs {
		l := lib
		l.Prompts = slices.Clone(lib.Prompts)
		random.Shuffle(len(l.Prompts), func(i, j int) { l.Prompts[i], l.Prompts[j] = l.Prompts[j], l.Prompts[i] })
		x := bot.NewLexicon(l)
		answers := make([]string, len(texts))
		for _, i := range random.Perm(len(texts)) {
			if len(texts[i]) < 2000 {
				answers[i] = fmt.Sprintf("%s %v", x.Name(), evidenceOf(t, x, texts[i], "nl"))
			}
		}
		got := []byte(strings.Join(answers, "\n"))
		if run > 0 && !bytes.Equal(got, want) {
			t.Fatalf("run %d differs", run)
		}
		want = got
	}
	if found := evidenceOf(t, bot.NewLexicon(lib), "", "nl"); !reflect.DeepEqual(tensionIDs(lib), []prompts.TensionID{found[0].Tension, found[1].Tension, found[2].Tension, found[3].Tension, found[4].Tension}) {
		t.Errorf("%v", found)
	}
}

// A tension of an organisation's own takes part; one without a definition scores nothing; the name follows the words.
func TestLexiconOfOwnTensions(t *testing.T) {
	lib := *library(t)
	own := prompts.Tension{ID: "rest-reach", Definitions: map[prompts.Lang]prompts.Definition{
		prompts.Dutch:   {CuesA: []string{"vrije dag", "bijkomen"}, CuesB: []string{"bereikbaar", "piketdienst"}},
		prompts.English: {CuesA: []string{"day off"}, CuesB: []string{"reachable"}},
	}}
	with, bare := lib.WithTensions([]prompts.Tension{own}), lib.WithTensions([]prompts.Tension{{ID: "rest-reach"}})
	text := "Op mijn vrije dag was ik weer bereikbaar voor de piketdienst."
	if found := evidenceOf(t, bot.NewLexicon(with), text, "nl"); found[0].Tension != "rest-reach" || !bot.Strict.Speaks(found) {
		t.Errorf("%+v", found[0])
	}
	found := evidenceOf(t, bot.NewLexicon(bare), text, "nl")
	if last := found[len(found)-1]; last.Tension != "rest-reach" || last.Score != 0 || last.Reasons != nil {
		t.Errorf("%+v", last)
	}
	names := map[string]bool{bot.NewLexicon(lib).Name(): true, bot.NewLexicon(with).Name(): true, bot.NewLexicon(bare).Name(): true}
	more := lib
	more.Prompts = more.Prompts[:10]
	if len(names) != 3 || !names[bot.NewLexicon(more).Name()] {
		t.Error("a name is that of the definitions, not of the prompts")
	}
	if found := evidenceOf(t, bot.NewLexicon(prompts.Library{}), "regel", "nl"); len(found) != 0 || bot.Relaxed.Speaks(found) {
		t.Errorf("%v", found)
	}
}

// Whatever is typed: no panic, valid reasons, the same answer again (TENSIONS 11, 10).
func FuzzScore(f *testing.F) {
	for _, s := range scorertest.Texts() {
		if len(s) < 4000 {
			f.Add(s)
		}
	}
	lib := library(f)
	x, ids := bot.NewLexicon(*lib), tensionIDs(*lib)
	f.Fuzz(func(t *testing.T, text string) {
		found := evidenceOf(t, x, text, prompts.Dutch)
		if err := scorertest.Check(text, ids, found); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(found, evidenceOf(t, x, text, prompts.Dutch)) {
			t.Fatal("another answer the second time")
		}
	})
}

// Ten MiB at most, and none more for a thousand replies (TENSIONS 10).
func TestLexiconIsSmall(t *testing.T) {
	lib := library(t)
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	x := bot.NewLexicon(*lib)
	built := heap()
	for i := range 1000 {
		evidenceOf(t, x, fmt.Sprint("Volgens het protocol nummer ", i, " wacht ik op de wethouder ", strings.Repeat("x", i%50)), "nl")
	}
	after := heap()
	runtime.KeepAlive(x)
	t.Logf("%d KiB, after a thousand replies %+d KiB", (int64(built)-int64(before))>>10, (int64(after)-int64(built))>>10)
	if int64(built)-int64(before) > 10<<20 || int64(after)-int64(built) > 1<<20 {
		t.Errorf("%d bytes, then %d more", int64(built)-int64(before), int64(after)-int64(built))
	}
}

// aReply has the length of an ordinary one, 168 characters.
const aReply = "Volgens het protocol moest ik eerst bellen, maar de schipper stond al te schelden en de rij op de weg werd langer. Ik heb de brug gedraaid en het daarna gemeld. Logisch."

// One reply of 168 characters against five tensions: at most a millisecond on two cores (TENSIONS 10).
func BenchmarkScore(b *testing.B) {
	x := bot.NewLexicon(*library(b))
	b.ReportAllocs()
	for b.Loop() {
		evidenceOf(b, x, aReply, "nl")
	}
	perReply := b.Elapsed().Seconds() / float64(b.N)
	b.ReportMetric(perReply*1e3, "ms/reply")
	if b.N > 10 && perReply > 1e-3 {
		b.Errorf("%.2f ms a reply", perReply*1e3)
	}
}

// The baseline: the same reply cut into words, and its language told.
func BenchmarkScoreBaseline(b *testing.B) {
	for b.Loop() {
		bot.TextLang(aReply, "nl")
	}
}

func BenchmarkNewLexicon(b *testing.B) {
	lib := library(b)
	for b.Loop() {
		bot.NewLexicon(*lib)
	}
}
