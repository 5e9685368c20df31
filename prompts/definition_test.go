package prompts

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// aTension is a valid tension of an organisation's own, with a definition.
func aTension() Tension {
	return Tension{
		ID: "rest-reach", Label: Text{Dutch: "Rust en bereikbaar zijn", English: "Rest and being reachable"},
		Short: Text{Dutch: "rust ↔ bereikbaar", English: "rest ↔ reachable"},
		A:     Text{Dutch: "Op tijd vrij zijn", English: "Being off in time"}, B: Text{Dutch: "Er zijn als het nodig is", English: "Being there when needed"},
		ProtectsA: Text{Dutch: "wie morgen weer moet", English: "who works again tomorrow"}, ProtectsB: Text{Dutch: "wie nu belt", English: "who calls now"},
		Definitions: map[Lang]Definition{
			Dutch: {CuesA: []string{"vrije dag", "uitrust*"}, CuesB: []string{"bereikbaar", "oproep*"}, CuesBoth: []string{"rust en dienst"},
				Examples: []string{"Op mijn vrije dag ging de telefoon.", "Ik wil rust en bereikbaar zijn.", "Een oproep in het weekend.", "Uitrusten lukt niet."}, Description: "Rust of er zijn."},
			English: {CuesA: []string{"day off", "rest*"}, CuesB: []string{"reachable", "on call"},
				Examples: []string{"On my day off the phone rang.", "I want rest and to be reachable.", "On call again."}, Description: "Rest or being there."},
		},
	}
}

func define(lang Lang, change func(*Definition)) func(*Tension) {
	return func(t *Tension) {
		t.Definitions = maps.Clone(t.Definitions)
		d := t.Definitions[lang]
		change(&d)
		t.Definitions[lang] = d
	}
}

func TestBuiltinDefinitions(t *testing.T) {
	l := builtinLibrary(t)
	for _, one := range l.Tensions {
		for _, lang := range Langs() {
			d := one.Definitions[lang]
			if len(d.CuesA) == 0 || len(d.CuesB) == 0 || len(d.CuesBoth) == 0 || len(d.Examples) != enoughExamples(lang) || d.Description == "" {
				t.Errorf("%s.%s is not whole", one.ID, lang)
			}
		}
	}
}

func TestValidateDefinitions(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Tension)
		fields []string
	}{
		{"unchanged", func(*Tension) {}, nil},
		{"none at all", func(t *Tension) { t.Definitions = nil }, nil},
		{"without the pull itself", define(Dutch, func(d *Definition) { d.CuesBoth = nil }), nil},
		{"one language", func(t *Tension) { t.Definitions = map[Lang]Definition{Dutch: t.Definitions[Dutch]} }, []string{"en.cues_a", "en.cues_b"}},
		{"one pole", define(English, func(d *Definition) { d.CuesB = nil }), []string{"en.cues_b"}},
		{"a cue for both poles", define(Dutch, func(d *Definition) { d.CuesB = append(slices.Clone(d.CuesB), "Vrije dag") }), []string{"nl.cues_b"}},
		{"an empty cue", define(Dutch, func(d *Definition) { d.CuesA = []string{" "} }), []string{"nl.cues_a"}},
		{"a star alone", define(Dutch, func(d *Definition) { d.CuesA = []string{"*"} }), []string{"nl.cues_a"}},
		{"a star inside", define(Dutch, func(d *Definition) { d.CuesA = []string{"vr*je dag"} }), []string{"nl.cues_a"}},
		{"a star apart", define(Dutch, func(d *Definition) { d.CuesA = []string{"vrije *"} }), []string{"nl.cues_a"}},
		{"an expression", define(Dutch, func(d *Definition) { d.CuesA = []string{"vrij(e)?"} }), []string{"nl.cues_a"}},
		{"a sentence", define(Dutch, func(d *Definition) { d.CuesA = []string{"op mijn vrije dag ging de telefoon"} }), []string{"nl.cues_a"}},
		{"dashes alone", define(Dutch, func(d *Definition) { d.CuesA = []string{"--"} }), []string{"nl.cues_a"}},
		{"turned around", define(Dutch, func(d *Definition) { d.CuesA = []string{"a\u202eb"} }), []string{"nl.cues_a", "nl.cues_a"}},
		{"endless", define(Dutch, func(d *Definition) {
			for len(d.CuesA) <= maxCues {
				d.CuesA = append(slices.Clip(d.CuesA), "woord"+strings.Repeat("a", len(d.CuesA)%40)+strings.Repeat("b", len(d.CuesA)/40))
			}
		}), []string{"nl.cues_a"}},
		{"an empty example", define(English, func(d *Definition) { d.Examples = append(slices.Clone(d.Examples), "") }), []string{"en.examples"}},
		{"an endless example", define(English, func(d *Definition) { d.Examples = []string{strings.Repeat("a", 301)} }), []string{"en.examples"}},
		{"too many examples", define(English, func(d *Definition) { d.Examples = slices.Repeat([]string{"One."}, 13) }), []string{"en.examples"}},
		{"two lines", define(English, func(d *Definition) { d.Description = "a\nb" }), []string{"en.description"}},
		{"an endless line", define(English, func(d *Definition) { d.Description = strings.Repeat("a", 201) }), []string{"en.description"}},
		{"all at once", func(t *Tension) {
			define(Dutch, func(d *Definition) { d.CuesA = []string{"*"} })(t)
			define(English, func(d *Definition) { d.CuesA, d.Examples = nil, []string{""} })(t)
		}, []string{"nl.cues_a", "en.cues_a", "en.examples"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, own := builtinLibrary(t), aTension()
			c.change(&own)
			l = l.WithTensions([]Tension{own})
			var want []string
			for _, f := range c.fields {
				want = append(want, "tension rest-reach: "+f)
			}
			if got := problems(t, l); !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q\n%v", got, want, l.Validate())
			}
		})
	}
}

func TestLintDefinitions(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Tension)
		want   string
	}{
		{"unchanged", func(*Tension) {}, ""},
		{"none at all", func(t *Tension) { t.Definitions = nil }, "warn  cues_a no-cues"},
		{"a wide prefix", define(Dutch, func(d *Definition) { d.CuesA = []string{"vrije dag", "vrij*", "dag*"} }), "error nl cues_a short-prefix"},
		{"two letters", define(Dutch, func(d *Definition) { d.CuesB = []string{"op", "oproep*"} }), "error nl cues_b short-cue"},
		{"another's cue", define(Dutch, func(d *Definition) { d.CuesB = []string{"Wachtlijst*", "oproep*"} }), "warn nl cues_b cue-elsewhere"},
		{"one side louder", define(English, func(d *Definition) { d.CuesA = []string{"day off", "rest*", "nap", "sleep", "weekend"} }), "warn en cues_a lopsided-cues"},
		{"three Dutch examples", define(Dutch, func(d *Definition) { d.Examples = d.Examples[:3] }), "warn nl examples few-examples"},
		{"no description", define(English, func(d *Definition) { d.Description = " " }), "warn en description no-description"},
		{"somebody's number", define(Dutch, func(d *Definition) { d.Description = "Bel 0612345678." }), "error nl description personal-data"},
		{"somebody's name", define(Dutch, func(d *Definition) { d.Examples = append(d.Examples[:3:3], "Toen belde Karin mij.") }), "warn nl examples capital"},
		{"a judgement in a pole", func(t *Tension) { t.A = Text{Dutch: "Lui en op tijd vrij zijn", English: t.A[English]} }, "error nl a judging"},
		{"one pole negates", func(t *Tension) { t.B = Text{Dutch: t.B[Dutch], English: "Not being off when needed"} }, "warn en pole_a pole-negation"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, own := builtinLibrary(t), aTension()
			c.change(&own)
			var got []string
			for _, f := range Lint(l.WithTensions([]Tension{own})) {
				if f.Tension != "rest-reach" || f.Prompt != "" || !strings.Contains(f.String(), "tension rest-reach") {
					t.Errorf("of another: %s", f)
				}
				got = append(got, strings.Join([]string{string(f.Level), string(f.Lang), f.Field, f.Rule}, " "))
			}
			if s := strings.Join(got, ", "); s != c.want {
				t.Errorf("got %q, want %q", s, c.want)
			}
		})
	}
}

// Counts belong to the sense, guesses to the words: changing one leaves the other.
func TestHashes(t *testing.T) {
	base := aTension()
	sense, words := base.Sense(), base.Words()
	if len(sense) != 16 || len(words) != 16 || sense == words {
		t.Errorf("%q %q", sense, words)
	}
	for _, c := range []struct {
		name         string
		change       func(*Tension)
		sense, words bool // whether each stays
	}{
		{"nothing", func(*Tension) {}, true, true},
		{"label", func(t *Tension) { t.Label = Text{Dutch: "Anders", English: t.Label[English]} }, false, true},
		{"English pole", func(t *Tension) { t.B = Text{Dutch: t.B[Dutch], English: "Other"} }, false, true},
		{"poles the other way round", func(t *Tension) { t.A, t.B = t.B, t.A }, false, true},
		{"what it protects", func(t *Tension) { t.ProtectsA = Text{Dutch: "anderen", English: "others"} }, false, true},
		{"branch name", func(t *Tension) { t.Short = Text{Dutch: "x", English: "y"} }, true, true},
		{"a cue", define(Dutch, func(d *Definition) { d.CuesA = d.CuesA[:1] }), true, false},
		{"a cue of the other pole", define(Dutch, func(d *Definition) { d.CuesA, d.CuesB = d.CuesB, d.CuesA }), true, false},
		{"an example", define(English, func(d *Definition) { d.Examples = d.Examples[:2] }), true, false},
		{"description", define(English, func(d *Definition) { d.Description = "" }), true, false},
		{"an empty list for none", define(English, func(d *Definition) { d.CuesBoth = []string{} }), true, true},
	} {
		own := aTension()
		c.change(&own)
		if (own.Sense() == sense) != c.sense || (own.Words() == words) != c.words {
			t.Errorf("%s: sense %v, words %v", c.name, own.Sense() == sense, own.Words() == words)
		}
	}
}

func TestWithTensions(t *testing.T) {
	base := builtinLibrary(t)
	changed := base.Tensions[1]
	changed.Label = Text{Dutch: "Anders", English: "Other"}
	l := base.WithTensions([]Tension{aTension(), changed})
	if len(l.Tensions) != 6 || l.Tensions[5].ID != "rest-reach" || l.Tensions[1].Label[Dutch] != "Anders" || base.Tensions[1].Label[Dutch] == "Anders" {
		t.Error("not behind, not in place, or written over")
	}
	var out bytes.Buffer
	if err := Encode(&out, l); err != nil {
		t.Fatal(err)
	}
	if again, err := Decode(&out); err != nil || !reflect.DeepEqual(again.Tensions, l.Tensions) {
		t.Errorf("changed on the way through a file: %v", err)
	}
}
