package editor

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// entryView is the page of one entry.
type entryView struct {
	Entry    bot.Entry
	Kind     string
	Name     string
	Origin   string
	State    string // of a prompt
	Status   prompts.Status
	Facts    []fact
	Texts    []langFacts
	Previews []preview
	Findings []said
	May      may
	Mine     bool   // who looks wrote it, and somebody else puts it in use
	Why      string // it was returned, and why
	Return   string // what was typed for it
	NeedWhy  bool
}

// may is what can be done with an entry now.
type may struct{ Edit, Submit, Activate, Return, Retire, Wake bool }

type fact struct{ Name, Text string }

type langFacts struct {
	Lang  prompts.Lang
	Name  string
	Facts []fact
}

// said is one thing that the lint or the format has to say.
type said struct {
	Field string // name of the field on the form; empty: none
	Label string
	Level string // in words
	Error bool
	Text  string
}

// preview is a prompt as it will stand in a channel.
type preview struct {
	Lang   prompts.Lang
	Name   string
	Blocks []bot.Block
}

// key is the entry that the address names.
func (v *visit) key() (bot.EntryKey, error) {
	k := bot.EntryKey{Kind: bot.EntryKind(v.r.PathValue("kind")), ID: v.r.PathValue("id")}
	switch k.Kind {
	case bot.EntryPrompt, bot.EntryTension, bot.EntryValue, bot.EntryAudience:
		return k, nil
	}
	return k, bot.ErrNotFound
}

func (e *Editor) entry(v *visit) error { return v.entryPage(http.StatusOK, nil, "", false) }

// entryPage shows an entry; wrong is why something could not be done with it.
func (v *visit) entryPage(status int, wrongs []wrong, typed string, needWhy bool) error {
	key, err := v.key()
	if err != nil {
		return err
	}
	entry, err := v.bot.Entry(v.r.Context(), key)
	if err != nil {
		return err
	}
	c, err := v.bot.Catalogue(v.r.Context())
	if err != nil {
		return err
	}
	d := entryView{
		Entry: entry, Kind: v.kindName(key.Kind), Name: nameOf(entry, v.lang), Origin: v.originName(entry), Return: typed, NeedWhy: needWhy,
		May: may{Edit: !entry.ReadOnly},
	}
	switch {
	case entry.Prompt != nil:
		p := *entry.Prompt
		d.State, d.Status = v.statusName(p.Status), p.Status
		d.Previews = v.previews(p)
		d.Facts = v.promptFacts(c, entry)
		d.Findings = v.findings(c, entry)
		if !entry.ReadOnly {
			d.May.Submit = p.Status == prompts.Draft
			if d.Mine, err = v.bot.OwnWork(v.r.Context(), v.s.editor, entry); err != nil {
				return err
			}
			d.May.Return = p.Status == prompts.Review
			d.May.Activate = d.May.Return && !d.Mine
			d.May.Retire, d.May.Wake = p.Status != prompts.Retired, p.Status == prompts.Retired
			d.May.Edit = p.Status != prompts.Retired
		}
		if d.Why, err = v.bot.SentBack(v.r.Context(), entry); err != nil {
			return err
		}
	default:
		d.Texts, d.Findings = v.wordFacts(entry), v.findings(c, entry)
		d.Facts = []fact{{v.say("web.field-id"), key.ID}, {v.say("web.origin"), d.Origin}}
		d.May.Retire, d.May.Wake = !entry.ReadOnly && !entry.Retired, !entry.ReadOnly && entry.Retired
		if entry.Retired {
			d.State, d.Status = v.say("web.status-retired"), prompts.Retired
		}
	}
	nav := "list"
	if entry.Prompt == nil {
		nav = "words"
	}
	v.show(status, "entry", page{Title: d.Name, Nav: nav, Wrong: wrongs, D: d})
	return nil
}

func (v *visit) previews(p prompts.Prompt) []preview {
	var out []preview
	for _, lang := range prompts.Langs() {
		if _, ok := p.Words[lang]; ok {
			out = append(out, preview{Lang: lang, Name: v.langName(lang), Blocks: v.bot.Preview(p, lang).Blocks})
		}
	}
	return out
}

func (v *visit) promptFacts(c bot.Catalogue, entry bot.Entry) []fact {
	p := *entry.Prompt
	var tensions, values, audiences, notFor, months, avoid []string
	for _, t := range p.Tensions {
		tensions = append(tensions, tensionName(&c.Library, t, v.lang))
	}
	for _, x := range p.Values {
		values = append(values, valueName(&c.Library, x, v.lang))
	}
	for _, a := range p.Audience {
		audiences = append(audiences, v.audienceName(&c.Library, a))
	}
	for _, a := range p.NotFor {
		notFor = append(notFor, v.audienceName(&c.Library, a))
	}
	for _, m := range v.months() {
		if n, _ := strconv.Atoi(m.Value); slices.Contains(p.Season, n) {
			months = append(months, m.Label)
		}
	}
	for _, o := range chosen(v.periods(), p.Avoid...) {
		if o.Chosen {
			avoid = append(avoid, o.Label)
		}
	}
	notBefore := p.NotBefore
	if day, err := time.Parse(time.DateOnly, p.NotBefore); err == nil {
		notBefore = locale.Day(v.lang, day)
	}
	facts := []fact{
		{v.say("web.field-type"), v.typeName(p.Kind)},
		{v.say("web.field-tension"), strings.Join(tensions, ", ")},
		{v.say("web.field-values"), strings.Join(values, ", ")},
		{v.say("web.field-audience"), strings.Join(audiences, ", ")},
		{v.say("web.field-not-for"), strings.Join(notFor, ", ")},
		{v.say("web.field-intensity"), v.intensityName(p.Intensity)},
		{v.say("web.field-season"), strings.Join(months, ", ")},
		{v.say("web.field-avoid"), strings.Join(avoid, ", ")},
		{v.say("web.field-not-before"), notBefore},
		{v.say("web.field-cooldown"), v.say("web.weeks", "count", strconv.Itoa(p.CooldownWeeks))},
		{v.say("web.used"), v.shown(entry.Shown)},
		{v.say("web.resting"), v.rests(entry.Shown)},
		{v.say("web.field-themes"), strings.Join(p.Themes, ", ")},
		{v.say("web.origin"), v.originName(entry)},
		{v.say("web.field-source"), v.sourceName(p.Source)},
		{v.say("web.field-id"), string(p.ID)},
		{v.say("web.field-revision"), strconv.Itoa(p.Revision)},
	}
	return slices.DeleteFunc(facts, func(f fact) bool { return f.Text == "" })
}

func (v *visit) intensityName(n int) string {
	switch n {
	case 1:
		return v.say("web.intensity-1")
	case 2:
		return v.say("web.intensity-2")
	}
	return v.say("web.intensity-3")
}

func (v *visit) periods() []option {
	return []option{{prompts.PeriodElections, v.say("web.avoid-elections"), false}, {prompts.PeriodIncident, v.say("web.avoid-incident"), false}}
}

// wordFacts are the texts of a tension, value or audience, a list for each language.
func (v *visit) wordFacts(entry bot.Entry) []langFacts {
	var out []langFacts
	for _, lang := range prompts.Langs() {
		l := langFacts{Lang: lang, Name: v.langName(lang)}
		for _, f := range v.wordFields(entry, lang) {
			if f.Value != "" {
				l.Facts = append(l.Facts, fact{f.Label, f.Value})
			}
		}
		out = append(out, l)
	}
	return out
}

// findings are what the lint says of an entry, the worst first.
func (v *visit) findings(c bot.Catalogue, entry bot.Entry) []said {
	var found []prompts.Finding
	for _, f := range c.Findings {
		if entry.Key.Kind == bot.EntryPrompt && string(f.Prompt) == entry.Key.ID && f.Tension == "" || entry.Key.Kind == bot.EntryTension && string(f.Tension) == entry.Key.ID {
			found = append(found, f)
		}
	}
	return v.say2(nil, found)
}

// say2 puts problems and findings in the reader's language, the worst first.
func (v *visit) say2(problems []prompts.Problem, found []prompts.Finding) []said {
	var out []said
	for _, p := range problems {
		out = append(out, said{Field: p.Field, Label: v.fieldName(p.Field), Level: levelName(v.lang, prompts.Error), Error: true, Text: p.In(v.lang)})
	}
	for _, f := range found {
		field := f.Field
		if f.Lang != "" {
			field = string(f.Lang) + "." + field
		}
		out = append(out, said{Field: field, Label: v.fieldName(field), Level: levelName(v.lang, f.Level), Error: f.Level == prompts.Error, Text: f.Text.In(v.lang)})
	}
	slices.SortStableFunc(out, func(a, b said) int {
		switch {
		case a.Error == b.Error:
			return 0
		case a.Error:
			return -1
		}
		return 1
	})
	return out
}

// maxWhy bounds the reason for returning a prompt, in characters.
const maxWhy = 600

// move takes an entry a step further, or back.
func (e *Editor) move(v *visit) error {
	key, err := v.key()
	if err != nil {
		return err
	}
	ctx, by, stamp := v.r.Context(), v.s.editor, v.r.PostFormValue("stamp")
	do := v.r.PathValue("do")
	why := strings.TrimSpace(strings.ReplaceAll(v.r.PostFormValue("why"), "\r\n", "\n"))
	if key.Kind != bot.EntryPrompt && do != "retire" && do != "wake" {
		return bot.ErrNotFound
	}
	id := prompts.ID(key.ID)
	switch do {
	case "submit":
		_, err = v.bot.SubmitPrompt(ctx, by, id, stamp)
	case "activate":
		_, err = v.bot.ActivatePrompt(ctx, by, id, stamp)
	case "return":
		if n := utf8.RuneCountInString(why); n == 0 || n > maxWhy {
			text := cmp.Or(map[bool]string{true: v.say("web.why-missing")}[n == 0], v.say("web.why-long", "max", strconv.Itoa(maxWhy)))
			return v.entryPage(http.StatusUnprocessableEntity, []wrong{{"why", v.say("web.why"), text}}, why, true)
		}
		_, err = v.bot.ReturnPrompt(ctx, by, id, stamp, why)
	case "retire":
		_, err = v.bot.RetireEntry(ctx, by, key, stamp)
	case "wake":
		_, err = v.bot.WakeEntry(ctx, by, key, stamp)
	default:
		return bot.ErrNotFound
	}
	var refused *bot.Refused
	switch {
	case err == nil:
		return v.back(do, "entry", string(key.Kind), key.ID)
	case errors.Is(err, bot.ErrConflict):
		return v.entryPage(http.StatusConflict, []wrong{{"", "", v.say("web.changed-look")}}, why, false)
	case errors.Is(err, bot.ErrSelfReview):
		return v.entryPage(http.StatusForbidden, []wrong{{"", "", v.say("web.self-review")}}, why, false)
	case errors.As(err, &refused):
		var lines []wrong
		for _, s := range v.say2(refused.Problems, refused.Findings) {
			lines = append(lines, wrong{"", s.Label, s.Text})
		}
		return v.entryPage(http.StatusUnprocessableEntity, lines, why, false)
	}
	return err
}
