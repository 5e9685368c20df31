package prompts

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestBuiltinLintsClean(t *testing.T) {
	for _, f := range Lint(builtinLibrary(t)) {
		t.Errorf("%s\n%s", f, f.Line(Dutch)) // warnings too: the library is the model for those who write their own
	}
}

// The figures that PRACTICE 13 gives for the library, within what later texts may move.
func TestBuiltinReads(t *testing.T) {
	var scores []float64
	for _, p := range builtinLibrary(t).Prompts {
		w := p.Words[Dutch]
		score, _ := readingEase(strings.Join(append([]string{w.Text, w.Question}, w.Followups...), " "), Dutch)
		scores = append(scores, score)
		if n := len(tokens(w.Question)); n > 10 {
			t.Errorf("%s asks %d words", p.ID, n)
		}
	}
	slices.Sort(scores)
	if median := scores[len(scores)/2]; scores[0] < 70 || math.Abs(median-94) > 2 {
		t.Errorf("lowest %.1f, median %.1f", scores[0], median)
	}
}

// on applies a change to the words of one language.
func on(lang Lang, change func(*Words)) func(*Prompt) {
	return func(p *Prompt) {
		w := p.Words[lang]
		change(&w)
		p.Words[lang] = w
	}
}

func adding(lang Lang, sentence string) func(*Prompt) {
	return on(lang, func(w *Words) { w.Text += " " + sentence })
}

func asks(lang Lang, question string) func(*Prompt) {
	return on(lang, func(w *Words) { w.Question = question })
}

// Each rule finds what was planted, and nothing else.
func TestLintRules(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Prompt)
		want   string // level, language, field and rule of each finding
	}{
		{"unchanged", func(*Prompt) {}, ""},
		{"retired", func(p *Prompt) { p.Status = Retired; delete(p.Words, English) }, ""},

		{"no protects", on(English, func(w *Words) { w.ProtectsB = "" }), "error en protects_b both-languages"},
		{"one follow-up", on(English, func(w *Words) { w.Followups = w.Followups[:1] }), "error en followups both-languages"},
		{"another number of sentences", adding(Dutch, "Het regent al de hele dag."), "warn  text same-sentences"},

		{"no question mark", asks(Dutch, "Waarop baseer je je besluit"), "error nl question one-question"},
		{"two questions", asks(Dutch, "Wat zie je? Wat doe je?"), "error nl question one-question"},
		{"the mark in the middle", asks(English, "What do you do? Tell us"), "error en question one-question"},
		{"a statement as follow-up", on(Dutch, func(w *Words) { w.Followups = []string{"Wat je wilt.", w.Followups[1]} }), "error nl followups one-question"},
		{"a question in the text", on(Dutch, func(w *Words) { w.Text = strings.Replace(w.Text, "goed.", "goed?", 1) }), "error nl text question-in-text"},
		{"an exclamation mark", on(English, func(w *Words) { w.Title += "!" }), "error en title no-exclamation"},

		{"why", asks(Dutch, "Waarom doe je dat?"), "error nl question open-question"},
		{"why in English", asks(English, "Why do you do that?"), "error en question open-question"},
		{"a verb", asks(Dutch, "Doe je dat?"), "error nl question open-question"},
		{"a verb in a follow-up", on(English, func(w *Words) { w.Followups = []string{"Did it help?", w.Followups[1]} }), "error en followups open-question"},
		{"on a day", asks(Dutch, "Op dinsdag doe je wat?"), "error nl question open-question"},
		{"on what", asks(Dutch, "Op welke collega lijk jij hierin?"), ""},
		{"to whom", asks(English, "To whom do you tell this?"), ""},

		{"eleven words", asks(Dutch, "Wat doe je op dat moment met de bon van gisteren?"), "warn nl question question-length"},
		{"fifteen words", asks(Dutch, "Wat doe je op dat moment met de bon die je collega gisteren nog schreef?"), "error nl question question-length"},
		{"a long follow-up", on(Dutch, func(w *Words) {
			w.Followups = []string{"Wat doe je op dat moment met de bon die je collega gisteren nog schreef?", w.Followups[1]}
		}), "error nl followups question-length"},

		{"a short text", on(Dutch, func(w *Words) {
			w.Text = "Een winkelier zet elke ochtend zijn bord neer. Het bord staat verder. Een collega schreef gisteren een bon. Vandaag kijk jij. Hij groet vriendelijk."
		}), "error nl text text-length, warn nl text choppy"},
		{"a long text", on(Dutch, func(w *Words) {
			w.Text = strings.Repeat("Een collega van een andere winkel vraagt wanneer iemand komt kijken naar dat bord buiten. ", 5)
		}),
			"error nl text text-length"},
		{"an endless sentence", on(Dutch, func(w *Words) {
			w.Text = strings.Replace(w.Text, "Je kent hem en hij luistert goed.", "Je kent hem al jaren en hij luistert heel goed naar jou en naar elke collega die er komt.", 1)
		}), "error nl text sentence-length"},

		{"leading", on(Dutch, func(w *Words) { w.Title = "Natuurlijk waarschuwen" }), "error nl title leading"},
		{"leading in two words", asks(Dutch, "Wat doe je toch niet?"), "error nl question leading"},
		{"leading in English", asks(English, "What do you, of course, do?"), "error en question leading"},
		{"a longer word is no leading word", on(Dutch, func(w *Words) { w.Title = "Een gewoonte" }), ""},
		{"judging", on(Dutch, func(w *Words) { w.ProtectsA = "lastige burgers" }), "error nl protects_a judging"},
		{"judging in English", on(English, func(w *Words) { w.ProtectsA = "a lazy shopkeeper" }), "error en protects_a judging"},
		{"jargon", on(Dutch, func(w *Words) { w.PoleA = "Het draagvlak in de straat" }), "error nl pole_a jargon"},
		{"jargon bent", on(Dutch, func(w *Words) { w.PoleA = "De lijn die is geïmplementeerd" }), "error nl pole_a jargon"},
		{"jargon in English", on(English, func(w *Words) { w.PoleA = "Rolling with the stakeholders" }), "error en pole_a jargon"},
		{"an abbreviation", on(Dutch, func(w *Words) { w.Title = "De APV" }), "error nl title abbreviation"},
		{"an abbreviation explained", on(Dutch, func(w *Words) { w.Title = "Regels van de stad (APV)" }), ""},
		{"explained the other way", on(Dutch, func(w *Words) { w.Title = "APV (regels van de stad)" }), ""},
		{"a short form", on(English, func(w *Words) { w.Title = "Signs etc. outside" }), "error en title abbreviation"},
		{"dots", on(Dutch, func(w *Words) { w.Title = "Borden e.d. op straat" }), "error nl title abbreviation"},
		{"absolute", on(Dutch, func(w *Words) { w.ProtectsB = "winkels die altijd op één lijn rekenen" }), "warn nl protects_b absolute"},
		{"absolute in English", on(English, func(w *Words) { w.ProtectsB = "what nobody sees" }), "warn en protects_b absolute"},
		{"office", on(Dutch, func(w *Words) { w.Title = "Achter je laptop" }), "warn nl title office"},
		{"office in English", on(English, func(w *Words) { w.Title = "On Monday morning" }), "warn en title office"},
		{"official", on(Dutch, func(w *Words) { w.Title = "Ambtelijk schrijven" }), "warn nl title official"},
		{"official in English", on(English, func(w *Words) { w.Title = "A good civil servant" }), "warn en title official"},
		{"idealism", on(Dutch, func(w *Words) { w.Title = "Samen voor een mooier nederland" }), "warn nl title idealism"},
		{"idealism in English", on(English, func(w *Words) { w.Title = "Your impact" }), "warn en title idealism"},

		{"a citizen's number", on(Dutch, func(w *Words) { w.Title = "Nummer 111222333" }), "error nl title personal-data"},
		{"nine digits that are none", on(Dutch, func(w *Words) { w.Title = "Nummer 111222334" }), ""},
		{"ten digits", on(Dutch, func(w *Words) { w.Title = "Nummer 1112223330" }), ""},
		{"a mobile number", on(Dutch, func(w *Words) { w.Title = "Bel 06-12 34 56 78" }), "error nl title personal-data"},
		{"from abroad", on(English, func(w *Words) { w.Title = "Call +31 6 12345678" }), "error en title personal-data"},
		{"a mail address", on(Dutch, func(w *Words) { w.Title = "Mail jan@voorbeeld.nl" }), "error nl title personal-data"},
		{"a postcode", on(Dutch, func(w *Words) { w.Title = "Bij 1234 AB" }), "error nl title abbreviation, error nl title personal-data"},
		{"a name", on(Dutch, func(w *Words) { w.Title = "Het bord van Jansen" }), "warn nl title capital"},
		{"a place", on(English, func(w *Words) { w.Title = "The sign in Utrecht" }), "warn en title capital"},
		{"a weekday in English", on(English, func(w *Words) { w.Title = "Fines on Tuesday, and I stay" }), ""},
		{"in the morning", on(Dutch, func(w *Words) { w.Title = "'s Ochtends op straat" }), ""},
		{"a quotation", on(Dutch, func(w *Words) { w.Title = "Een collega zegt: 'Doe het maar'" }), ""},

		{"one pole", on(Dutch, func(w *Words) { w.PoleB = " " }), "error nl pole_b both-poles"},
		{"a long pole", on(Dutch, func(w *Words) {
			w.PoleB = "Bij elke winkel in de hele straat elke dag weer precies dezelfde lijn trekken"
		}), "warn nl pole_a pole-length"},
		{"one negation", on(Dutch, func(w *Words) { w.PoleB = "Niet kijken naar wie er staat" }), "warn nl pole_a pole-negation"},
		{"two negations", on(Dutch, func(w *Words) { w.PoleA, w.PoleB = "Geen bon schrijven vandaag", "Geen verschil maken vandaag" }), ""},
		{"one value word", on(English, func(w *Words) { w.PoleB = "Being honest at every single shop" }), "warn en pole_a pole-value"},

		{"formal you", on(Dutch, func(w *Words) { w.ProtectsA = "het contact in uw straat" }), "error nl protects_a u-form"},
		{"passive", on(Dutch, func(w *Words) {
			w.Text = "Een bord werd te ver op de stoep gezet. Er wordt goed geluisterd. Een nieuwe winkel verderop doet hetzelfde. Daar werd gisteren een bon geschreven. Nu sta jij bij de eerste winkel."
		}), "warn nl text passive"},
		{"passive in English", on(English, func(w *Words) {
			w.Text = "A sign was placed too far out on the pavement. You know the man and advice is followed. A new shop down the street does the same. A fine was issued there yesterday. Now you are at the first shop."
		}), "warn en text passive"},
		{"heavy", on(Dutch, func(w *Words) {
			w.Text = "Een vergunninghouder overschrijdt herhaaldelijk bestemmingsplanvoorschriften. Handhavingsmedewerkers constateren onregelmatigheden. " +
				"Ondernemersverenigingen protesteren tegen willekeurige besluitvorming. Bestuursrechtelijke procedures veroorzaken aanzienlijke " +
				"vertragingen. Leidinggevenden verwachten onmiddellijke duidelijkheid over handhavingsprioriteiten binnen de binnenstad en alle omliggende winkelgebieden."
		}), "error nl text reading-ease"},
		{"heavy in English", on(English, func(w *Words) {
			w.Text = "An organisation repeatedly violates municipal regulations. Enforcement authorities identify considerable irregularities. " +
				"Representative associations criticise inconsistent administrative decisions. Procedural obligations generate unnecessary " +
				"delays. Management anticipates immediate clarification regarding enforcement priorities throughout surrounding commercial areas and adjoining communities everywhere."
		}), "warn en text reading-ease"},
		{"choppy", on(Dutch, func(w *Words) {
			w.Text = "Er staat een bord. Het staat te ver. Je kent de man. Hij is best goed. Een ander doet dit ook. Daar kwam een bon. Nu sta jij er. Wat nu."
		}), "warn  text same-sentences, warn nl text choppy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := aDilemma(t)
			c.change(&p)
			var got []string
			for _, f := range Lint(Library{Prompts: []Prompt{p}}) {
				got = append(got, fmt.Sprintf("%s %s %s %s", f.Level, f.Lang, f.Field, f.Rule))
				for _, lang := range Langs() {
					if len(f.Text[lang]) < 20 {
						t.Errorf("%s says too little in %s", f, lang)
					}
				}
				if f.Prompt != p.ID {
					t.Errorf("%s names another prompt", f)
				}
			}
			slices.Sort(got)
			if s := strings.Join(got, ", "); s != c.want {
				t.Errorf("got  %s\nwant %s", s, c.want)
			}
		})
	}
}

func TestLintShortKinds(t *testing.T) {
	l := builtinLibrary(t)
	p, _ := l.Prompt("app-good-at-this")
	p.Words = map[Lang]Words{Dutch: p.Words[Dutch], English: p.Words[English]}
	for lang, text := range map[Lang]string{
		Dutch:   "Denk aan een moment waarop je werk echt lukte. Het mag iets kleins uit afgelopen weken zijn.",
		English: "Think of a moment when your work came off. It may be something small from the last few weeks.",
	} {
		on(lang, func(w *Words) { w.Text = text })(&p)
	}
	var lengths []Lang // 17 and 18 words: a light prompt starts at 18
	for _, f := range Lint(Library{Prompts: []Prompt{p}}) {
		if f.Rule == "text-length" {
			lengths = append(lengths, f.Lang)
		}
	}
	if !slices.Equal(lengths, []Lang{Dutch}) {
		t.Error(lengths)
	}
}

func TestNearDuplicates(t *testing.T) {
	a, b, c := aDilemma(t), aDilemma(t), aDilemma(t)
	b.ID, c.ID = "own-two", "own-three"
	b.Words = map[Lang]Words{Dutch: a.Words[Dutch], English: {}}
	words(func(w *Words) { w.Text = strings.Replace(w.Text, "bord", "fiets", 1) })(&b)
	c.Words = map[Lang]Words{Dutch: {Text: "Iets heel anders, over een brug en een boot die moet wachten."}, English: {}}
	var got []string
	for _, f := range Lint(Library{Prompts: []Prompt{a, c, b}}) {
		if f.Rule == "near-duplicate" {
			got = append(got, f.String())
		}
	}
	want := "warn: own-two.nl.text: Much like own-one; who gets both feels unheard. Give it a situation of its own. [near-duplicate]"
	if len(got) != 1 || got[0] != want {
		t.Errorf("%q", got)
	}
	a.Status = Retired
	for _, f := range Lint(Library{Prompts: []Prompt{a, b}}) {
		if f.Rule == "near-duplicate" {
			t.Error("compared with a retired prompt")
		}
	}
}

// Texts that are all alike are told of a few others, not of all: an import cannot make the lint grow with its square.
func TestManyNearDuplicates(t *testing.T) {
	var l Library
	for i := range 300 {
		p := Prompt{ID: ID(fmt.Sprint("p-", i)), Words: map[Lang]Words{Dutch: {Text: "Iets heel gewoons, over een brug en een boot die moet wachten."}}}
		l.Prompts = append(l.Prompts, p)
	}
	told := map[ID]int{}
	for _, f := range Lint(l) {
		if f.Rule == "near-duplicate" {
			told[f.Prompt]++
		}
	}
	if len(told) != 299 || told["p-1"] != 1 || told["p-299"] != 5 {
		t.Errorf("%d prompts, %d, %d", len(told), told["p-1"], told["p-299"])
	}
}

func TestSyllables(t *testing.T) {
	for word, want := range map[string]int{ // by the rule as written: an accented letter joins no group
		"bui": 1, "mooi": 1, "leeuw": 1, "nieuw": 1, "fraai": 1, "eeuwig": 2, "ijs": 1, "zee": 1, "koe": 1, "geïnd": 2, "reünie": 3,
		"bewoner": 3, "één": 2, "idee": 2, "beïnvloeden": 4, "vergunning": 3, "z": 1, "dossier": 2, "kantine": 3, "chaos": 2,
	} {
		if got := countSyllables(word, Dutch); got != want {
			t.Errorf("%s: %d, want %d", word, got, want)
		}
	}
	for word, want := range map[string]int{"table": 2, "late": 1, "called": 1, "wanted": 2, "the": 1, "colleague": 2, "bridge": 1, "residents": 3} {
		if got := countSyllables(word, English); got != want {
			t.Errorf("%s: %d, want %d", word, got, want)
		}
	}
}

func TestReadingEase(t *testing.T) {
	// Two sentences, seven words, ten syllables: 206.84 - 0.93 * 3.5 - 77 * 10/7.
	score, perSentence := readingEase("De bewoner belt weer. Wat doe je?", Dutch)
	if want := 206.84 - 0.93*3.5 - 77*9.0/7; math.Abs(score-want) > 0.001 || perSentence != 3.5 {
		t.Errorf("%.3f, want %.3f; %.2f words a sentence", score, want, perSentence)
	}
	if score, perSentence := readingEase(" ... ", Dutch); score != 0 || perSentence != 0 {
		t.Error("nothing was read")
	}
}

func TestSentences(t *testing.T) {
	for text, want := range map[string][]string{
		"Eén. Twee? Drie":               {"Eén.", "Twee?", "Drie"},
		"Om 10.00 uur. Of later.":       {"Om 10.00 uur.", "Of later."},
		"Zij zegt: 'Kom.' Jij gaat.":    {"Zij zegt: 'Kom.'", "Jij gaat."},
		"Wacht… Nu.":                    {"Wacht…", "Nu."},
		"Op {date} dit: {agreement}. A": {"Op {date} dit: {agreement}.", "A"},
		" . ? ":                         nil,
	} {
		if got := sentences(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestCover(t *testing.T) {
	l := builtinLibrary(t)
	cover := Cover(l)
	if len(cover) != len(l.Audiences) {
		t.Fatal(len(cover))
	}
	for _, c := range cover {
		if c.Short() {
			t.Errorf("%s: %d dilemmas", c.Audience, c.Dilemmas)
		}
		for _, tension := range l.Tensions {
			if c.Tensions[tension.ID] == 0 || c.Light[tension.ID] < 3 {
				t.Errorf("%s: %d dilemmas and %d light prompts in %s", c.Audience, c.Tensions[tension.ID], c.Light[tension.ID], tension.ID)
			}
		}
	}

	// The dilemmas for every team fill no gap: each kind of work has its own in each tension, and gentle ones to begin with.
	own := l
	own.Prompts = slices.DeleteFunc(slices.Clone(l.Prompts), func(p Prompt) bool {
		return slices.Contains(p.Audience, Everyone)
	})
	for _, c := range Cover(own) {
		if c.Gentle < 3 {
			t.Errorf("%s: %d gentle dilemmas of its own", c.Audience, c.Gentle)
		}
		for _, tension := range l.Tensions {
			if c.Tensions[tension.ID] == 0 {
				t.Errorf("%s: no dilemma of its own in %s", c.Audience, tension.ID)
			}
		}
	}

	// What a library lacks shows.
	few := l
	few.Prompts = l.Prompts[:EnoughDilemmas-1]
	for _, c := range Cover(few) {
		if !c.Short() {
			t.Errorf("%s: %d dilemmas of %d", c.Audience, c.Dilemmas, len(few.Prompts))
		}
	}

	all := Prompt{ID: "x", Kind: Dilemma, Status: Draft, Audience: []AudienceID{Everyone}}
	if c := Cover(Library{Audiences: l.Audiences[:1], Prompts: []Prompt{all}}); c[0].Dilemmas != 0 {
		t.Error("a draft was counted")
	}
}
