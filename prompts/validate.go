package prompts

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

var slug = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// followupKinds are the kinds a deepening question may have (PRACTICE 11).
var followupKinds = []string{"perspective", "harm", "value", "own-experience", "tipping-point", "alternative", "appreciative",
	"agreement", "transparency", "wish", "try-out", "open-question"}

// Validate says everything that makes the library unusable, all problems at once, each with the entry, the field and
// what to do. How well a prompt reads is for Lint.
func (l *Library) Validate() error {
	var problems []error
	note := func(where, format string, args ...any) {
		problems = append(problems, fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...)))
	}
	seen := map[string]bool{}
	id := func(kind, id string) string {
		where := kind + " " + id
		if !slug.MatchString(id) || len(id) > 60 {
			note(where, "id must be lower-case letters, digits and single dashes, at most 60")
		}
		if seen[where] {
			note(where, "id is used twice; an id is never used again")
		}
		seen[where] = true
		return where
	}
	both := func(where, field string, t Text) {
		for _, lang := range Langs() {
			if strings.TrimSpace(t[lang]) == "" {
				note(where, "%s is missing in %s", field, lang)
			}
		}
	}
	for _, t := range l.Tensions {
		where := id("tension", string(t.ID))
		for field, text := range map[string]Text{"label": t.Label, "short": t.Short, "a": t.A, "b": t.B, "protects_a": t.ProtectsA, "protects_b": t.ProtectsB} {
			both(where, field, text)
		}
		for _, lang := range Langs() {
			if n := utf8.RuneCountInString(t.Short[lang]); n > 23 {
				note(where, "short has %d characters in %s; at most 23", n, lang)
			}
		}
	}
	for _, v := range l.Values {
		both(id("value", string(v.ID)), "name", v.Name)
	}
	for _, a := range l.Audiences {
		both(id("audience", string(a.ID)), "name", a.Name)
	}
	for _, p := range l.Prompts {
		where := id("prompt", string(p.ID))
		l.validatePrompt(p, func(format string, args ...any) { note(where, format, args...) })
	}
	return errors.Join(problems...)
}

func (l *Library) validatePrompt(p Prompt, note func(string, ...any)) {
	if p.Revision < 1 {
		note("revision must be 1 or more")
	}
	if !slug.MatchString(p.Family) {
		note("family must be a slug")
	}
	kinds := []Kind{Dilemma, Appreciative, Practice, ValuePrompt, LookBack}
	if !slices.Contains(kinds, p.Kind) {
		note("type %q is unknown; one of %v", p.Kind, kinds)
	}
	if phases := []Phase{PhaseOpen, PhaseFollow, PhaseTalk, PhaseLookBack}; !slices.Contains(phases, p.Phase) {
		note("phase %q is unknown; one of %v", p.Phase, phases)
	}
	if states := []Status{Draft, Review, Active, Resting, Retired}; !slices.Contains(states, p.Status) {
		note("status %q is unknown; one of %v", p.Status, states)
	}
	if len(p.Audience) == 0 {
		note(`audience is empty; name one, or "all"`)
	}
	for _, a := range append(slices.Clone(p.Audience), p.NotFor...) {
		if _, ok := l.Audience(a); !ok && a != Everyone {
			note("audience %q is not in the library", a)
		}
	}
	for _, t := range p.Tensions {
		if _, ok := l.Tension(t); !ok {
			note("tension %q is not in the library", t)
		}
	}
	if p.Kind == Dilemma && len(p.Tensions) != 1 {
		note("a dilemma has exactly one tension, this has %d", len(p.Tensions))
	}
	for _, v := range p.Values {
		if !slices.ContainsFunc(l.Values, func(known Value) bool { return known.ID == v }) {
			note("value %q is not in the library", v)
		}
	}
	if p.Intensity < 1 || p.Intensity > 3 {
		note("intensity is 1, 2 or 3")
	}
	if p.Intensity == 3 && !p.Aftercare {
		note("intensity 3 requires aftercare")
	}
	if p.Onboarding && p.Intensity != 1 {
		note("an onboarding prompt has intensity 1")
	}
	if p.CooldownWeeks < 0 || p.CooldownWeeks > 520 {
		note("cooldown_weeks lies between 0 and 520")
	}
	for _, m := range p.Season {
		if m < 1 || m > 12 {
			note("season holds months 1 to 12")
		}
	}
	for _, a := range p.Avoid {
		if a != "elections" && a != "after-incident" {
			note(`avoid %q is unknown; "elections" or "after-incident"`, a)
		}
	}
	if len(p.FollowupKinds) != 2 || p.FollowupKinds[0] == p.FollowupKinds[1] {
		note("followup_kinds holds two different kinds")
	}
	for _, k := range p.FollowupKinds {
		if !slices.Contains(followupKinds, k) {
			note("followup kind %q is unknown; one of %v", k, followupKinds)
		}
	}
	if len(p.Placeholders) > 0 && p.Kind != LookBack {
		note("only a look-back has placeholders")
	}
	for _, lang := range Langs() {
		w, ok := p.Words[lang]
		if !ok {
			if p.Status == Active {
				note("is active and has no %s", lang)
			}
			continue
		}
		fields := map[string]string{"title": w.Title, "text": w.Text, "question": w.Question}
		if p.Kind == Dilemma {
			fields["pole_a"], fields["pole_b"], fields["protects_a"], fields["protects_b"] = w.PoleA, w.PoleB, w.ProtectsA, w.ProtectsB
		}
		for field, text := range fields {
			if strings.TrimSpace(text) == "" {
				note("%s is missing in %s", field, lang)
			}
			if len(text) > 1500 {
				note("%s is too long in %s", field, lang)
			}
		}
		if len(w.Followups) != 2 || slices.Contains(w.Followups, "") {
			note("followups holds two questions in %s", lang)
		}
		for _, field := range []string{w.Title, w.Text, w.Question} {
			for name := range placeholders(field) {
				if !slices.Contains(p.Placeholders, name) {
					note("placeholder {%s} in %s is not declared", name, lang)
				}
			}
		}
	}
}

func placeholders(s string) map[string]bool {
	out := map[string]bool{}
	for {
		_, rest, ok := strings.Cut(s, "{")
		if !ok {
			return out
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			return out
		}
		out[name], s = true, after
	}
}
