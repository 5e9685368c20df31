package bot

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// table makes a table of texts; one that begins with ! is only counted.
func table(rules tableRules, texts ...string) map[string]TableWord {
	var replies []writing
	for _, text := range texts {
		text, counted := strings.CutPrefix(text, "!")
		replies = append(replies, writing{text, !counted})
	}
	out := map[string]TableWord{}
	table, _ := makeWordTable(replies, rules)
	for _, w := range table {
		out[w.Key] = w
	}
	return out
}

func heavyWords(t testing.TB) []locale.HeavyWords {
	t.Helper()
	heavy, err := locale.Heavy()
	if err != nil {
		t.Fatal(err)
	}
	return heavy
}

// What three replies share is in a round's table, with how many hold it and how it is written most often (TENSIONS 7.2).
func TestWordTable(t *testing.T) {
	rules := tableRules{home: prompts.Dutch, heavy: heavyWords(t)}
	got := table(rules, "De werkdruk is te hoog. Rooster en rooster.", "!Hoge werkdruk, hoge nood.", "Wij praten over werkdruk.", "Het rooster deugt niet. Hoge nood.", "Werkdruk! Die roosters.", "Hoge nood.")
	want := map[string]TableWord{
		"nl:werkdruk": {"nl:werkdruk", "werkdruk", 4, 3},
		"nl:rooster":  {"nl:rooster", "rooster", 3, 3},
		"nl:nod":      {"nl:nod", "nood", 3, 2},
		"nl:hog nod":  {"nl:hog nod", "hoge nood", 3, 2},
		"nl:hog":      {"nl:hog", "hoge", 4, 3},
	}
	for key, w := range got {
		if alt, ok := want[key]; ok && alt != w {
			t.Errorf("%+v, want %+v", w, alt)
		}
	}
	for _, form := range []string{"werkdruk", "rooster", "nood", "hoge nood"} {
		if !slices.ContainsFunc(valuesOf(got), func(w TableWord) bool { return w.Form == form }) {
			t.Errorf("%q is missing in %v", form, got)
		}
	}
	if n := got["nl:werkdruk"]; n.Replies != 4 || n.Shared != 3 {
		t.Errorf("%+v", n)
	}
	pair := table(rules, "Slecht licht, zei ik", "slecht. Licht genoeg", "slecht vind ik dat licht", "slecht zoals het nu toch maar eens is: licht")
	if slices.ContainsFunc(valuesOf(pair), func(w TableWord) bool { return strings.Contains(w.Key, " ") }) {
		t.Errorf("a pair over the end of a sentence, or with too much between: %v", pair)
	}
	english := table(tableRules{home: prompts.Dutch}, "The schedule is the problem for all of us.", "I think that the schedules are wrong.", "This schedule is not what we need.")
	if _, ok := english["en:schedul"]; !ok {
		t.Errorf("English words in a Dutch team: %v", english)
	}
}

func valuesOf(m map[string]TableWord) (out []TableWord) {
	for _, w := range m {
		out = append(out, w)
	}
	return out
}

// What must never be in a table is not, however many write it; each case has a word beside it that is (TENSIONS 7.2).
func TestNeverInAWordTable(t *testing.T) {
	lib, err := prompts.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	var labels []string
	for _, x := range lib.Tensions {
		labels = append(labels, x.Label.In(prompts.Dutch), x.Short.In(prompts.Dutch))
	}
	rules := tableRules{home: prompts.Dutch, heavy: heavyWords(t), without: append(labels, "Een bewoner vraagt om uitstel. Wat weegt voor jou?"),
		hints: HintOptions{Members: []string{"Rachida el Amrani", "Thijs Kuipers"}, Name: "[naam]", Other: "[weggelaten]"}}
	for name, tc := range map[string]struct {
		texts []string
		words []string // parts of a key or a form that must not be there
	}{
		"two replies":             {[]string{"mijn kapstok en parkeren", "een kapstok bij parkeren", "parkeren", "gewoon parkeren"}, []string{"kapstok"}},
		"two replies, many times": {[]string{"kapstok kapstok kapstok parkeren", "kapstok kapstok parkeren", "parkeren", "parkeren"}, []string{"kapstok"}},
		"function words":          {[]string{"het parkeren is van ons", "het parkeren is van ons", "het parkeren is van ons"}, []string{"het", "van", "ons"}},
		"short words":             {[]string{"de ov en parkeren", "met ov of parkeren", "ov bij parkeren"}, []string{"nl:ov"}},
		"digits":                  {[]string{"in lokaal b12 parkeren 2031", "bij b12 parkeren 2031", "over b12 parkeren in 2031"}, []string{"b12", "2031"}},
		"the prompt":              {[]string{"die bewoners willen parkeren met uitstel", "elke bewoner wil parkeren met uitstel", "bewoners en parkeren en uitstel"}, []string{"bewoner", "uitstel"}},
		"names of tensions":       {[]string{"het beleid en de praktijk van parkeren", "beleid, praktijk en parkeren", "beleid of praktijk bij parkeren"}, []string{"beleid", "praktijk"}},
		"names, by their capital": {[]string{"met Fatima over parkeren", "toen zei Fatima iets over parkeren", "dat vond fatima van parkeren"}, []string{"fatima"}},
		"capitals in half":        {[]string{"in de Kuip parkeren", "bij de kuip parkeren", "langs de Kuip parkeren", "voorbij de kuip parkeren"}, []string{"kuip"}},
		"a name in small letters": {[]string{"van rachida mag parkeren", "rachida parkeert vaak, parkeren", "die rachida en parkeren"}, []string{"rachida"}},
		"behind a title":          {[]string{"mevrouw Zwartendijk wil parkeren", "zwartendijk en parkeren", "altijd zwartendijk bij parkeren"}, []string{"zwartendijk"}},
		"health":                  {[]string{"mijn zwangere buurvrouw en parkeren", "zwanger en parkeren", "een zwangere wil parkeren"}, []string{"zwanger"}},
		"heavy":                   {[]string{"zijn zelfmoord en parkeren", "denken aan zelfmoord en parkeren", "na die zelfmoord werd parkeren anders"}, []string{"zelfmo"}},
		"mail":                    {[]string{"schrijf naar klachten@gemeente.nl over parkeren", "klachten@gemeente.nl en parkeren", "parkeren: klachten@gemeente.nl"}, []string{"klacht"}},
		"what was replaced":       {[]string{"toen zei [naam] iets over parkeren", "met [naam] parkeren", "zonder [naam] parkeren"}, nil},
	} {
		got := table(rules, tc.texts...)
		if !slices.ContainsFunc(valuesOf(got), func(w TableWord) bool { return strings.HasPrefix(w.Form, "park") && w.Replies >= 3 }) {
			t.Errorf("%s: the word that may be there is not: %v", name, got)
		}
		raw, err := json.Marshal(makeTable(got))
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range tc.words {
			if strings.Contains(string(raw), w) {
				t.Errorf("%s: %q is in %s", name, w, raw)
			}
		}
		switch name { // planted: without the rule the word is there
		case "the prompt", "names of tensions", "a name in small letters", "heavy":
			raw, err := json.Marshal(makeTable(table(tableRules{home: prompts.Dutch}, tc.texts...)))
			if err != nil || !strings.Contains(string(raw), tc.words[0]) {
				t.Errorf("%s: the rule is not what keeps %q out of %s (%v)", name, tc.words[0], raw, err)
			}
		}
	}
}

func makeTable(m map[string]TableWord) WordTable {
	t := WordTable(valuesOf(m))
	fits, _ := t.fit()
	return fits
}

// A table is as small as was promised, whatever people write, and comes back from a record as it was.
func TestWordTableIsSmallAndComesBack(t *testing.T) {
	words := pseudo(3000)
	r := rand.New(rand.NewPCG(3, 0))
	var texts []writing
	for range 100 {
		var text strings.Builder
		for text.Len() < 1490 {
			text.WriteString(words[r.IntN(1+r.IntN(len(words)))] + " ")
		}
		texts = append(texts, writing{text.String(), true})
	}
	full, from := makeWordTable(texts, tableRules{home: prompts.Dutch})
	raw, err := json.Marshal(Tally{Words: full})
	if err != nil {
		t.Fatal(err)
	}
	empty, err := json.Marshal(Tally{Words: WordTable{}})
	if err != nil {
		t.Fatal(err)
	}
	if size := len(raw) - len(empty); size > 4096 || len(full) < 50 {
		t.Errorf("%d words in %d bytes", len(full), size)
	}
	least := full[0].Replies
	for _, w := range full {
		least = min(least, w.Replies)
	}
	if least <= minCell {
		t.Error("the table was not too large: the test shows nothing")
	}
	if from <= minCell || from > least {
		t.Errorf("the table says that it begins at %d, the rarest word has %d", from, least)
	}
	if _, from := full.fit(); from != 0 {
		t.Errorf("a table that fits begins at %d", from)
	}
	for _, w := range []WordTable{nil, {}, full[:1], full} {
		raw, err := json.Marshal(Tally{Words: w})
		if err != nil {
			t.Fatal(err)
		}
		var back Tally
		if err := json.Unmarshal(raw, &back); err != nil || !reflect.DeepEqual(back.Words, w) {
			t.Errorf("%d words come back as %d (%v)", len(w), len(back.Words), err)
		}
	}
	for _, damaged := range []string{"x", "a|b|c|d;", "a|b|1;", "a|b|1|2|3;"} {
		if err := new(WordTable).UnmarshalText([]byte(damaged)); err == nil {
			t.Errorf("%q was read", damaged)
		}
	}
	// The same replies in any order make the same table.
	for range 5 {
		r.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
		if again, _ := makeWordTable(texts, tableRules{home: prompts.Dutch}); !reflect.DeepEqual(again, full) {
			t.Fatal("another order, another table")
		}
	}
}

// Any bytes make a table that can be stored.
func FuzzWordTable(f *testing.F) {
	f.Add("werkdruk; |nood’s| Ça va\x00\xff")
	f.Fuzz(func(t *testing.T, text string) {
		w, _ := makeWordTable([]writing{{text, true}, {text, false}, {text, true}, {text, true}}, tableRules{home: prompts.Dutch})
		raw, err := json.Marshal(Tally{Words: w})
		if err != nil {
			t.Fatal(err)
		}
		var back Tally
		if err := json.Unmarshal(raw, &back); err != nil || !reflect.DeepEqual(back.Words, w) {
			t.Fatalf("%q: %v", raw, err)
		}
	})
}

// A name for "something else" reaches the editors when three replies of a round have it, in two rounds. What fewer have
// makes no difference, and a name means what it says.
func TestNamesForSomethingElse(t *testing.T) {
	for _, tc := range []struct {
		rounds [][]string
		want   string
	}{
		{[][]string{{"te weinig mensen", "Te weinig mensen", "mensen te weinig"}, {"te weinig mensen", "te weinig mensen", "te weinig mensen"}}, "te weinig mensen"},
		{[][]string{{"weinig mensen", "weinig mensen", "weinig mensen", "weinig mensen"}, {"weinig mensen"}}, ""}, // one person's words
		{[][]string{{"weinig mensen", "weinig mensen", "weinig mensen", "weinig mensen"}, {"weinig mensen", "weinig mensen"}}, ""},
		{[][]string{{"geen vertrouwen", "vertrouwen", "geen vertrouwen"}, {"geen vertrouwen", "geen vertrouwen", "vertrouwen"}}, ""},
		{[][]string{{"te veel regels", "te weinig regels", "regels"}, {"te veel regels", "te weinig regels", "meer regels"}}, ""},
		{[][]string{{"niet geluisterd", "geluisterd", "niet geluisterd", "niet geluisterd"}, {"niet geluisterd", "niet geluisterd", "niet geluisterd"}}, "niet geluisterd"},
		{[][]string{{"weinig mensen", "weinig mensen", "weinig mensen", "weinig mensen", "weinig mensen"}}, ""},
		{[][]string{{"weinig mensen", "weinig mensen"}, {"weinig mensen", "weinig mensen"}, {"weinig mensen"}}, ""},
		{[][]string{{"weinig mensen", "weinig mensen", "weinig mensen"}, {"weinig mensen"}}, ""},
		{[][]string{{"de", "het", "een"}, {"de", "het"}}, ""},
	} {
		var forms []string
		var rounds []roundNames
		for i, names := range tc.rounds {
			rounds = append(rounds, roundNames{RoundID(strconv.Itoa(i)), names})
		}
		for _, l := range namesOf(rounds, prompts.Dutch) {
			forms = append(forms, l.Form)
		}
		if got := strings.Join(forms, ", "); got != tc.want {
			t.Errorf("%v: %q, want %q", tc.rounds, got, tc.want)
		}
	}
}

// In a round that tells of no tension no names are looked for.
func TestNoNamesFromAThinRound(t *testing.T) {
	got, err := new(Bot).labelsOf(t.Context(), Round{MinReplies: 3, Tally: &Tally{Respondents: 3, Other: 3}}, nil)
	if got != nil || err != nil {
		t.Errorf("%v %v", got, err)
	}
}

// A name that the editors see goes with the last of the replies that it rests on.
func TestNamesGoWithTheirReplies(t *testing.T) {
	var team Team
	team.noteLabels([]LabelNote{{Key: "a", Form: "a", Rounds: []RoundID{"1", "2"}}, {Key: "b", Form: "b", Rounds: []RoundID{"2", "3"}}})
	before := team
	team.noteLabels([]LabelNote{{Key: "b", Form: "other", Rounds: []RoundID{"2", "3", "4"}}})
	for _, c := range []struct {
		gone RoundID
		left string
	}{{"1", "a b"}, {"9", "a b"}, {"2", "b"}, {"3", "b"}, {"4", ""}, {"4", ""}} {
		team.dropLabels(c.gone)
		var forms []string
		for _, l := range team.Labels {
			forms = append(forms, l.Form)
		}
		if got := strings.Join(forms, " "); got != c.left {
			t.Errorf("after %s: %q, want %q", c.gone, got, c.left)
		}
	}
	if len(before.Labels) != 2 || len(before.Labels[0].Rounds) != 2 || len(before.Labels[1].Rounds) != 2 {
		t.Errorf("what was there before was changed: %+v", before.Labels)
	}
}

// A word table of a hundred long replies is made while a round closes (TENSIONS 10: 25 ms).
func BenchmarkWordTable(b *testing.B) {
	heavy, words := heavyWords(b), pseudo(2000)
	r := rand.New(rand.NewPCG(5, 0))
	var texts []writing
	for range 100 {
		var text strings.Builder
		for n := 0; text.Len() < 1490; n++ {
			w := words[r.IntN(1+r.IntN(len(words)))]
			text.WriteString(w + []string{" ", " de ", " en ", ". "}[n%4])
		}
		texts = append(texts, writing{text.String(), true})
	}
	for _, rules := range []struct {
		name string
		tableRules
	}{{"words", tableRules{home: prompts.Dutch}}, {"whole", tableRules{home: prompts.Dutch, heavy: heavy}}} {
		b.Run(rules.name, func(b *testing.B) {
			for b.Loop() {
				makeWordTable(texts, rules.tableRules)
			}
		})
	}
}

// BenchmarkNewWords looks for new words over all rounds that count.
func BenchmarkNewWords(b *testing.B) {
	var rounds []Round
	for i := range wordBefore + wordWindow {
		var line strings.Builder
		for k := range 90 {
			fmt.Fprintf(&line, "WORD%d ", (i*7+k*13)%400)
		}
		rounds = append(rounds, history(line.String())[0])
	}
	for b.Loop() {
		newWords(rounds, nil)
	}
}
