package editor

import (
	"slices"
	"strconv"
	"strings"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// What the pages call things, each in the reader's language.

func (v *visit) kindName(kind bot.EntryKind) string {
	switch kind {
	case bot.EntryTension:
		return v.say("web.tension")
	case bot.EntryValue:
		return v.say("web.value")
	case bot.EntryAudience:
		return v.say("web.audience")
	}
	return v.say("web.prompt")
}

func (v *visit) typeName(kind prompts.Kind) string {
	switch kind {
	case prompts.Appreciative:
		return v.say("web.type-appreciative")
	case prompts.Practice:
		return v.say("web.type-practice")
	case prompts.ValuePrompt:
		return v.say("web.type-value")
	case prompts.LookBack:
		return v.say("web.type-look-back")
	}
	return v.say("web.type-dilemma")
}

func (v *visit) statusName(s prompts.Status) string {
	switch s {
	case prompts.Draft:
		return v.say("web.status-draft")
	case prompts.Review:
		return v.say("web.status-review")
	case prompts.Resting:
		return v.say("web.status-resting")
	case prompts.Retired:
		return v.say("web.status-retired")
	}
	return v.say("web.status-active")
}

func (v *visit) originName(e bot.Entry) string {
	switch {
	case e.Local:
		return v.say("web.origin-changed")
	case e.Origin == bot.OriginFiles:
		return v.say("web.origin-files")
	case e.Origin == bot.OriginOwn:
		return v.say("web.origin-own")
	}
	return v.say("web.origin-builtin")
}

func (v *visit) phaseName(p prompts.Phase) string {
	switch p {
	case prompts.PhaseFollow:
		return v.say("web.phase-follow")
	case prompts.PhaseTalk:
		return v.say("web.phase-talk")
	case prompts.PhaseLookBack:
		return v.say("web.phase-look-back")
	}
	return v.say("web.phase-open")
}

func (v *visit) sourceName(s string) string {
	switch s {
	case prompts.SourceTeam:
		return v.say("web.source-team")
	case prompts.SourceCommissioned:
		return v.say("web.source-commissioned")
	}
	return v.say("web.source-original")
}

// followupKinds are the kinds of follow-up question, in the order in which they are offered.
func (v *visit) followupKinds() []option {
	return []option{
		{"perspective", v.say("web.followup-perspective"), false}, {"harm", v.say("web.followup-harm"), false},
		{"value", v.say("web.followup-value"), false}, {"own-experience", v.say("web.followup-own-experience"), false},
		{"tipping-point", v.say("web.followup-tipping-point"), false}, {"alternative", v.say("web.followup-alternative"), false},
		{"appreciative", v.say("web.followup-appreciative"), false}, {"agreement", v.say("web.followup-agreement"), false},
		{"transparency", v.say("web.followup-transparency"), false}, {"wish", v.say("web.followup-wish"), false},
		{"try-out", v.say("web.followup-try-out"), false}, {"open-question", v.say("web.followup-open-question"), false},
	}
}

// fieldName is what a field of the file is called on the pages: "nl.title" and "title" alike, with the language behind it.
func (v *visit) fieldName(field string) string {
	lang, name, ok := strings.Cut(field, ".")
	if !ok || lang != "nl" && lang != "en" {
		lang, name = "", field
	}
	said := name
	if key := map[string]string{
		"id": "web.field-id", "title": "web.field-title", "text": "web.field-text", "question": "web.field-question", "pole_a": "web.field-pole-a",
		"pole_b": "web.field-pole-b", "protects_a": "web.field-protects-a", "protects_b": "web.field-protects-b", "followups": "web.field-followups",
		"followup_kinds": "web.field-followup-kinds", "type": "web.field-type", "phase": "web.field-phase", "family": "web.field-family",
		"status": "web.field-status", "audience": "web.field-audience", "not_for": "web.field-not-for", "tensions": "web.field-tension",
		"values": "web.field-values", "themes": "web.field-themes", "intensity": "web.field-intensity", "aftercare": "web.field-aftercare",
		"onboarding": "web.field-onboarding", "cooldown_weeks": "web.field-cooldown", "not_before": "web.field-not-before", "season": "web.field-season", "avoid": "web.field-avoid",
		"placeholders": "web.field-placeholders", "source": "web.field-source", "licence": "web.field-licence", "author": "web.field-author",
		"reviewer": "web.field-reviewer", "revision": "web.field-revision", "name": "web.field-name", "label": "web.field-label",
		"short": "web.field-short", "a": "web.field-pole-a", "b": "web.field-pole-b", "cues_a": "web.field-cues-a", "cues_b": "web.field-cues-b",
		"cues_both": "web.field-cues-both", "examples": "web.field-examples", "description": "web.field-description", "retired": "web.field-retired",
		"image": "web.field-image", "image.path": "web.field-image", "image.alt": "web.field-image", "image.licence": "web.field-image",
	}[name]; key != "" {
		said = v.say(key)
	}
	if lang != "" {
		said += " (" + v.langName(prompts.Lang(lang)) + ")"
	}
	return said
}

func (v *visit) langName(l prompts.Lang) string {
	if l == prompts.English {
		return v.say("web.lang-en")
	}
	return v.say("web.lang-nl")
}

// pastName says what made a state of an entry.
func (v *visit) pastName(what string) string {
	key := map[string]string{
		"built-in": "web.past-built-in", "new": "web.past-new", "change": "web.past-change", "submit": "web.past-submit", "activate": "web.past-activate",
		"activate-unreviewed": "web.past-unreviewed", "return": "web.past-return", "retire": "web.past-retire", "wake": "web.past-wake",
		"restore": "web.past-restore", "settle": "web.past-settle", "import": "web.past-import", "propose": "web.past-propose", "before": "web.past-before",
	}[what]
	if key == "" {
		return what
	}
	return v.say(key)
}

// ruleWhy is why a rule of the lint is there, in a few words: its finding says what is wrong and what to do.
func levelName(lang prompts.Lang, l prompts.Level) string {
	if l == prompts.Error {
		return locale.Text(lang, "web.level-error")
	}
	return locale.Text(lang, "web.level-warn")
}

// nameOf is what an entry is called.
func nameOf(e bot.Entry, lang prompts.Lang) string {
	name := ""
	switch {
	case e.Prompt != nil:
		name = e.Prompt.In(lang).Title
		if name == "" {
			name = e.Prompt.In(prompts.English).Title
		}
	case e.Tension != nil:
		name = e.Tension.Label.In(lang)
	case e.Value != nil:
		name = e.Value.Name.In(lang)
	case e.Audience != nil:
		name = e.Audience.Name.In(lang)
	}
	if strings.TrimSpace(name) == "" {
		return e.Key.ID
	}
	return name
}

// tensionName, valueName and audienceName call what a prompt refers to by its name, or by its ID if it is not there.
func tensionName(l *prompts.Library, id prompts.TensionID, lang prompts.Lang) string {
	if t, ok := l.Tension(id); ok && t.Label.In(lang) != "" {
		return t.Label.In(lang)
	}
	return string(id)
}

func valueName(l *prompts.Library, id prompts.ValueID, lang prompts.Lang) string {
	if i := slices.IndexFunc(l.Values, func(x prompts.Value) bool { return x.ID == id }); i >= 0 && l.Values[i].Name.In(lang) != "" {
		return l.Values[i].Name.In(lang)
	}
	return string(id)
}

func (v *visit) audienceName(l *prompts.Library, id prompts.AudienceID) string {
	if id == prompts.Everyone {
		return v.say("web.everyone")
	}
	if a, ok := l.Audience(id); ok && a.Name.In(v.lang) != "" {
		return a.Name.In(v.lang)
	}
	return string(id)
}

// option is one choice of a field.
type option struct {
	Value, Label string
	Chosen       bool
}

func chosen(all []option, values ...string) []option {
	out := slices.Clone(all)
	for i := range out {
		out[i].Chosen = slices.Contains(values, out[i].Value)
	}
	// What is chosen and not known any more stays in the list: saving must not drop it unseen.
	for _, value := range values {
		if value != "" && !slices.ContainsFunc(out, func(o option) bool { return o.Value == value }) {
			out = append(out, option{value, value, true})
		}
	}
	return out
}

func (v *visit) months() []option {
	var out []option
	for m := range 12 {
		out = append(out, option{strconv.Itoa(m + 1), locale.Month(v.lang, monthDay(m+1)), false})
	}
	return out
}

// spoken has a prompt all its texts in a language.
func spoken(p prompts.Prompt, lang prompts.Lang) bool {
	w, ok := p.Words[lang]
	if !ok || len(w.Followups) != 2 {
		return false
	}
	all := append([]string{w.Title, w.Text, w.Question}, w.Followups...)
	if p.Kind == prompts.Dilemma {
		all = append(all, w.PoleA, w.PoleB, w.ProtectsA, w.ProtectsB)
	}
	return !slices.ContainsFunc(all, func(s string) bool { return strings.TrimSpace(s) == "" })
}
