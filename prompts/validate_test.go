package prompts

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// aDilemma is a valid prompt of the built-in library's kind, under an ID of its own and read by somebody else.
func aDilemma(t testing.TB) Prompt {
	t.Helper()
	l := builtinLibrary(t)
	p, ok := l.Prompt("enforcement-warn-or-fine")
	if !ok {
		t.Fatal("not in the library")
	}
	p.ID, p.Family, p.Reviewer = "own-one", "own-family", "Reader"
	p.Words = map[Lang]Words{Dutch: p.Words[Dutch], English: p.Words[English]}
	return p
}

// problems are what Validate finds, as "table id: field".
func problems(t testing.TB, l Library) []string {
	t.Helper()
	err := l.Validate()
	if err == nil {
		return nil
	}
	many, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%T is no list", err)
	}
	var out []string
	for _, e := range many.Unwrap() {
		p, ok := errors.AsType[Problem](e)
		if !ok || p.Text == "" {
			t.Fatalf("%#v is no Problem", e)
		}
		out = append(out, strings.TrimSpace(p.Table+" "+p.ID)+": "+p.Field)
	}
	return out
}

func words(change func(*Words)) func(*Prompt) {
	return func(p *Prompt) {
		w := p.Words[Dutch]
		change(&w)
		p.Words[Dutch] = w
	}
}

func TestValidatePrompt(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Prompt)
		fields []string // of the problems, in order; none: still valid
	}{
		{"unchanged", func(*Prompt) {}, nil},
		{"id is no slug", func(p *Prompt) { p.ID = "Own One" }, []string{"id"}},
		{"id is empty", func(p *Prompt) { p.ID = "" }, []string{"id"}},
		{"id is endless", func(p *Prompt) { p.ID = ID(strings.Repeat("a", 61)) }, []string{"id"}},
		{"id is used", func(p *Prompt) { p.ID = "bridge-one-more-boat" }, []string{"id"}},
		{"no revision", func(p *Prompt) { p.Revision = 0 }, []string{"revision"}},
		{"no family", func(p *Prompt) { p.Family = "" }, []string{"family"}},
		{"unknown type", func(p *Prompt) { p.Kind = "riddle" }, []string{"type", "nl.pole_a", "nl.pole_b", "nl.protects_a", "nl.protects_b",
			"en.pole_a", "en.pole_b", "en.protects_a", "en.protects_b"}},
		{"unknown phase", func(p *Prompt) { p.Phase = "later" }, []string{"phase"}},
		{"unknown status", func(p *Prompt) { p.Status = "busy" }, []string{"status"}},
		{"unknown source", func(p *Prompt) { p.Source = "" }, []string{"source"}},
		{"no audience", func(p *Prompt) { p.Audience = nil }, []string{"audience"}},
		{"unknown audience", func(p *Prompt) { p.Audience = []AudienceID{"astronauts"} }, []string{"audience"}},
		{"audience twice", func(p *Prompt) { p.Audience = []AudienceID{"permits", "permits"} }, []string{"audience"}},
		{"everyone but one", func(p *Prompt) {
			p.Audience, p.NotFor = []AudienceID{Everyone}, []AudienceID{"permits"}
		}, nil},
		{"not for everyone", func(p *Prompt) { p.NotFor = []AudienceID{Everyone} }, []string{"not_for"}},
		{"for and not for", func(p *Prompt) { p.NotFor = []AudienceID{"enforcement"} }, []string{"not_for"}},
		{"no tension", func(p *Prompt) { p.Tensions = nil }, []string{"tensions"}},
		{"two tensions", func(p *Prompt) { p.Tensions = []TensionID{"policy-practice", "quality-speed"} }, []string{"tensions"}},
		{"unknown tension", func(p *Prompt) { p.Tensions = []TensionID{"tea-coffee"} }, []string{"tensions"}},
		{"unknown value", func(p *Prompt) { p.Values = []ValueID{"profit"} }, []string{"values"}},
		{"intensity 0", func(p *Prompt) { p.Intensity = 0 }, []string{"intensity"}},
		{"intensity 4", func(p *Prompt) { p.Intensity, p.Aftercare = 4, true }, []string{"intensity"}},
		{"intensity 3 alone", func(p *Prompt) { p.Intensity = 3 }, []string{"aftercare"}},
		{"intensity 3 with aftercare", func(p *Prompt) { p.Intensity, p.Aftercare = 3, true }, nil},
		{"a heavy start", func(p *Prompt) { p.Onboarding, p.Intensity = true, 2 }, []string{"onboarding"}},
		{"cool-down below zero", func(p *Prompt) { p.CooldownWeeks = -1 }, []string{"cooldown_weeks"}},
		{"no cool-down", func(p *Prompt) { p.CooldownWeeks = 0 }, []string{"cooldown_weeks"}},
		{"month 13", func(p *Prompt) { p.Season = []int{12, 13} }, []string{"season"}},
		{"a month twice", func(p *Prompt) { p.Season = []int{5, 5} }, []string{"season"}},
		{"unknown period", func(p *Prompt) { p.Avoid = []string{"carnival"} }, []string{"avoid"}},
		{"one kind of follow-up", func(p *Prompt) { p.FollowupKinds = []string{"harm"} }, []string{"followup_kinds"}},
		{"the same kind twice", func(p *Prompt) { p.FollowupKinds = []string{"harm", "harm"} }, []string{"followup_kinds"}},
		{"three kinds", func(p *Prompt) { p.FollowupKinds = []string{"harm", "wish", "value"} }, []string{"followup_kinds"}},
		{"unknown kind", func(p *Prompt) { p.FollowupKinds = []string{"harm", "joke"} }, []string{"followup_kinds"}},
		{"placeholder in a dilemma", func(p *Prompt) { p.Placeholders = []string{"date"} }, []string{"placeholders", "nl.text", "en.text"}},
		{"brace in a dilemma", words(func(w *Words) { w.Question = "Wat {kies} je?" }), []string{"nl.question"}},
		{"no English", func(p *Prompt) { delete(p.Words, English) }, []string{"en"}},
		{"a draft without English", func(p *Prompt) { delete(p.Words, English); p.Status = Draft }, nil},
		{"no title", words(func(w *Words) { w.Title = " " }), []string{"nl.title"}},
		{"a draft without a title", func(p *Prompt) { words(func(w *Words) { w.Title = "" })(p); p.Status = Draft }, nil},
		{"no pole", words(func(w *Words) { w.PoleB = "" }), []string{"nl.pole_b"}},
		{"protects nothing", words(func(w *Words) { w.ProtectsA = "" }), []string{"nl.protects_a"}},
		{"one follow-up", words(func(w *Words) { w.Followups = w.Followups[:1] }), []string{"nl.followups"}},
		{"three follow-ups", words(func(w *Words) { w.Followups = append(slices.Clone(w.Followups), "Wat nu?") }), []string{"nl.followups"}},
		{"an empty follow-up", words(func(w *Words) { w.Followups = []string{"Wat nu?", ""} }), []string{"nl.followups"}},
		{"a pole no form can show", words(func(w *Words) { w.PoleA = strings.Repeat("a", 76) }), []string{"nl.pole_a"}},
		{"an endless text", words(func(w *Words) { w.Text = strings.Repeat("a", 1501) }), []string{"nl.text"}},
		{"a new line in a title", words(func(w *Words) { w.Title = "a\nb" }), []string{"nl.title"}},
		{"text turned around", words(func(w *Words) { w.Text = "a\u202eb" }), []string{"nl.text"}},
		{"an image without words", func(p *Prompt) { p.Image = &Image{Path: "a.png", Licence: "CC0-1.0", Alt: Text{Dutch: "brug"}} }, []string{"en.image.alt"}},
		{"an image of nobody", func(p *Prompt) { p.Image = &Image{Alt: Text{Dutch: "brug", English: "bridge"}} }, []string{"image.path", "image.licence"}},
		{"no author", func(p *Prompt) { p.Author = "" }, []string{"author"}},
		{"no reviewer", func(p *Prompt) { p.Reviewer = "" }, []string{"reviewer"}},
		{"reviewed by its author", func(p *Prompt) { p.Reviewer = p.Author }, []string{"reviewer"}},
		{"recorded as unreviewed", func(p *Prompt) { p.Reviewer = Unreviewed }, nil},
		{"not reviewed and not active", func(p *Prompt) { p.Reviewer, p.Status = "", Review }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := builtinLibrary(t)
			p := aDilemma(t)
			c.change(&p)
			l.Prompts = append(l.Prompts, p)
			var want []string
			for _, f := range c.fields {
				want = append(want, strings.TrimSpace("prompt "+string(p.ID))+": "+f)
			}
			if got := problems(t, l); !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q\n%v", got, want, l.Validate())
			}
		})
	}
}

func TestValidateLookBack(t *testing.T) {
	l := builtinLibrary(t)
	i := slices.IndexFunc(l.Prompts, func(p Prompt) bool { return p.Kind == LookBack })
	p := l.Prompts[i]
	p.CooldownWeeks, p.Placeholders = 6, []string{"date", "weather"}
	l.Prompts[i] = p
	want := []string{"cooldown_weeks", "placeholders", "nl.text", "nl.text", "en.text", "en.text"}
	for i := range want {
		want[i] = "prompt look-back-agreement: " + want[i]
	}
	if got := problems(t, l); !slices.Equal(got, want) {
		t.Errorf("%q\n%v", got, l.Validate())
	}
}

// The built-in prompts are exempt from a reviewer by their words, not by their name.
func TestValidateReviewsAChangedBuiltin(t *testing.T) {
	l := builtinLibrary(t)
	p := l.Prompts[0]
	p.Words = map[Lang]Words{Dutch: p.Words[Dutch], English: p.Words[English]}
	words(func(w *Words) { w.Title = "Anders" })(&p)
	l.Prompts[0] = p
	if got := problems(t, l); !slices.Equal(got, []string{"prompt " + string(p.ID) + ": reviewer"}) {
		t.Error(got)
	}
}

func TestValidateTheRest(t *testing.T) {
	l := builtinLibrary(t)
	l.ID, l.Name = "Craft Base", Text{Dutch: "Basis"}
	long := l.Tensions[1]
	long.ID, long.Short = "long", Text{Dutch: "maatwerk ↔ gelijke kansen", English: "tailoring ↔ equality"}
	l.Tensions = append(l.Tensions, long, Tension{ID: l.Tensions[0].ID}, Tension{ID: "bare", Label: Text{Dutch: "a", English: "a"}})
	l.Values = append(l.Values, Value{ID: "value", Name: Text{English: "worth"}})
	l.Audiences = append(l.Audiences, Audience{ID: Everyone, Name: Text{Dutch: "allen", English: "all"}})
	got := problems(t, l)
	for _, want := range []string{
		"library: id", "library: en.name", "tension long: nl.short", "tension policy-practice: id", "tension policy-practice: nl.label",
		"tension bare: nl.short", "tension bare: en.protects_b", "value value: nl.name", "audience all: id",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is missing in %q", want, got)
		}
	}
	if !slices.Equal(got, problems(t, l)) {
		t.Error("told in another order the second time")
	}
}

// A file of prompts alone refers to what is in force.
func TestValidateCompleted(t *testing.T) {
	l := Library{Prompts: []Prompt{aDilemma(t)}}
	if l.Validate() == nil {
		t.Error("tensions and audiences from nowhere")
	}
	if l = l.Completed(builtinLibrary(t)); l.Validate() != nil {
		t.Error(l.Validate())
	}
}
