package mattermost

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/mattermost/mattermost/server/public/model"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// What a dialog takes, in bytes. The server only warns beyond it, so that this table decides.
const (
	maxTitle    = 24
	maxLabel    = 24
	maxName     = 300
	maxHelp     = 150 // help text; placeholder and default of one line
	maxTextarea = 3000
	maxSelect   = 3000
)

// doField is the select with a form's extra actions, or with what a shown message offers.
const doField = "do"

// fieldSpec is what is kept of a field to read its value: what was offered, and nothing else, comes back to the bot.
type fieldSpec struct {
	Name    string        `json:"n"`
	Kind    bot.FieldKind `json:"k"`
	Options []string      `json:"o,omitempty"`
	Selects int           `json:"s,omitempty"` // of FieldMany
}

// dialogOf makes a dialog of a form. What is too long for its place stands whole in the introduction.
func dialogOf(f *bot.Form) (model.Dialog, []fieldSpec, error) {
	say := sayer(f.Lang)
	d := model.Dialog{SubmitLabel: visible(f.Submit)}
	var intro []string
	var specs []fieldSpec
	title, cut := shorten(f.Title, maxTitle)
	if d.Title = title; cut {
		intro = append(intro, "**"+escape(f.Title)+"**")
	}
	for _, b := range slices.Concat(f.Notice, f.Intro) {
		if part := renderBlock(b); part != "" && b.Kind != bot.BlockActions {
			intro = append(intro, part)
		}
	}
	for _, field := range f.Fields {
		spec := fieldSpec{Name: field.Name, Kind: field.Kind}
		e := model.DialogElement{Name: field.Name, Optional: !field.Required}
		label, hint, more := labelled(field)
		e.DisplayName, e.HelpText = label, hint
		if more != "" {
			intro = append(intro, more)
		}
		value := ""
		if len(field.Value) > 0 {
			value = field.Value[0]
		}
		for _, o := range field.Options {
			spec.Options = append(spec.Options, o.Value)
			e.Options = append(e.Options, &model.PostActionOptions{Text: labelText(o.Label), Value: o.Value})
		}
		switch field.Kind {
		case bot.FieldLine, bot.FieldText:
			e.Type, e.Default, e.MaxLength = "text", value, maxHelp
			if field.Kind == bot.FieldText || field.Max > maxHelp || len(value) > maxHelp {
				e.Type, e.MaxLength = "textarea", maxTextarea
			}
			if field.Max > 0 {
				e.MaxLength = min(e.MaxLength, field.Max)
			}
			if len(value) > maxTextarea {
				e.Default = ""
				intro = append(intro, "**"+escape(field.Label)+"**: "+say("mm.too-long"), renderBlock(bot.Quote(value)))
			}
			d.Elements = append(d.Elements, e)
		case bot.FieldTick:
			e.Type, e.Options, spec.Options = "bool", nil, nil
			if len(field.Label) <= maxHelp {
				e.Placeholder = visible(field.Label)
			}
			if value == "yes" {
				e.Default = "true"
			}
			d.Elements = append(d.Elements, e)
		case bot.FieldOne:
			e.Type = "select"
			if slices.Contains(spec.Options, value) {
				e.Default = value
			}
			d.Elements = append(d.Elements, e)
		case bot.FieldMany:
			// A select takes one choice: two of them, and as many as were chosen before.
			e.Type = "select"
			chosen := slices.DeleteFunc(slices.Clone(field.Value), func(v string) bool { return !slices.Contains(spec.Options, v) })
			spec.Selects = min(max(2, len(chosen)), len(spec.Options))
			for i := range spec.Selects {
				one := e
				if i > 0 {
					one.Name, one.DisplayName, one.HelpText, one.Optional = nth(field.Name, i), say("mm.more"), "", true
				}
				if i < len(chosen) {
					one.Default = chosen[i]
				}
				d.Elements = append(d.Elements, one)
			}
		default:
			return d, nil, fmt.Errorf("mattermost: a form with a field of kind %q", field.Kind)
		}
		specs = append(specs, spec)
	}
	var extra []offer
	for _, a := range f.Extra {
		extra = append(extra, offerOf(a))
	}
	if len(extra) > 0 {
		d.Elements = append(d.Elements, choice(extra, f.Lang))
	}
	d.IntroductionText = strings.Join(intro, "\n\n")
	return d, specs, checkDialog(d)
}

// choice is the select that stands for buttons.
func choice(offers []offer, lang prompts.Lang) model.DialogElement {
	e := model.DialogElement{Name: doField, Type: "select", DisplayName: sayer(lang)("mm.or"), Optional: true}
	for i, o := range offers {
		e.Options = append(e.Options, &model.PostActionOptions{Text: labelText(o.Label), Value: strconv.Itoa(i)})
	}
	return e
}

// nth names a further select of one field.
func nth(name string, i int) string { return name + strconv.Itoa(i+1) }

// labelled gives a field its label and help. What does not fit there is for the introduction, whole.
func labelled(f bot.Field) (label, help, more string) {
	label, cut := shorten(f.Label, maxLabel)
	help = visible(f.Hint)
	if cut && (f.Kind != bot.FieldTick || len(f.Label) > maxHelp) { // a tick's label stands beside its box
		dot := ". "
		if strings.ContainsAny(f.Label[len(f.Label)-1:], "?!.:") {
			dot = " "
		}
		help = strings.TrimSpace(visible(f.Label) + dot + help)
	}
	if len(help) <= maxHelp {
		return label, help, ""
	}
	more = "**" + escape(f.Label) + "**"
	if f.Hint != "" {
		more += ": " + escape(f.Hint)
	}
	return label, "", more
}

// shorten cuts a label at a word, and says whether it did.
func shorten(s string, limit int) (string, bool) {
	s = oneLine(visible(s))
	if len(s) <= limit {
		return s, false
	}
	const dots = "…"
	short := ""
	for word := range strings.FieldsSeq(s) {
		longer := strings.TrimSpace(short + " " + word)
		if len(longer) > limit-len(dots) {
			break
		}
		short = longer
	}
	if short == "" { // one long word
		for _, r := range s {
			if len(short)+len(string(r)) > limit-len(dots) {
				break
			}
			short += string(r)
		}
	}
	return short + dots, true
}

// checkDialog holds a dialog to the table, in bytes.
func checkDialog(d model.Dialog) error {
	var wrong []error
	limit := func(what, text string, most int) {
		if len(text) > most {
			wrong = append(wrong, fmt.Errorf("mattermost: %s of a dialog has %d bytes of %d", what, len(text), most))
		}
	}
	if d.Title == "" {
		wrong = append(wrong, errors.New("mattermost: a dialog without title"))
	}
	limit("title", d.Title, maxTitle)
	limit("introduction", d.IntroductionText, maxPost)
	names := map[string]bool{}
	for _, e := range d.Elements {
		if names[e.Name] || e.Name == "" || e.DisplayName == "" {
			wrong = append(wrong, fmt.Errorf("mattermost: field %q of a dialog has no name or label, or another has its name", e.Name))
		}
		names[e.Name] = true
		limit("label", e.DisplayName, maxLabel)
		limit("field name", e.Name, maxName)
		limit("help text", e.HelpText, maxHelp)
		switch e.Type {
		case "text":
			limit("default", e.Default, maxHelp)
			limit("placeholder", e.Placeholder, maxHelp)
		case "textarea":
			limit("default", e.Default, maxTextarea)
			if e.MaxLength > maxTextarea {
				wrong = append(wrong, fmt.Errorf("mattermost: field %q of a dialog takes more than %d", e.Name, maxTextarea))
			}
		case "select":
			limit("default", e.Default, maxSelect)
		case "bool":
			limit("placeholder", e.Placeholder, maxHelp)
		default:
			wrong = append(wrong, fmt.Errorf("mattermost: a dialog with a field of type %q", e.Type))
		}
	}
	return errors.Join(wrong...)
}

// values reads a submission by what its form offered: what is not a field or not a choice is dropped. A line that was left
// empty is there and empty. picked is the number of the extra action, or -1.
func values(specs []fieldSpec, offers int, sent map[string]any) (out map[string][]string, picked int) {
	out = map[string][]string{}
	text := func(name string) string {
		s, _ := sent[name].(string)
		return s
	}
	for _, f := range specs {
		switch f.Kind {
		case bot.FieldLine, bot.FieldText:
			v := text(f.Name)
			if f.Kind == bot.FieldLine {
				v = oneLine(v)
			}
			out[f.Name] = []string{v}
		case bot.FieldTick:
			if on, _ := sent[f.Name].(bool); on || text(f.Name) == "true" {
				out[f.Name] = []string{"yes"}
			}
		case bot.FieldOne:
			if v := text(f.Name); slices.Contains(f.Options, v) {
				out[f.Name] = []string{v}
			}
		case bot.FieldMany:
			for i := range f.Selects {
				name := f.Name
				if i > 0 {
					name = nth(f.Name, i)
				}
				if v := text(name); slices.Contains(f.Options, v) && !slices.Contains(out[f.Name], v) {
					out[f.Name] = append(out[f.Name], v)
				}
			}
		}
	}
	picked = -1
	if n, err := strconv.Atoi(text(doField)); err == nil && n >= 0 && n < offers {
		picked = n
	}
	return out, picked
}

// submitAnswer is what the server shows of r in a form that was sent in. A form that did what it was sent for closes.
// What was said is not lost: what has no field of its own stands above the fields.
func submitAnswer(r bot.Response, specs []fieldSpec) model.SubmitDialogResponse {
	var above []string
	a := model.SubmitDialogResponse{}
	if r.Kept {
		return a
	}
	if r.Form != nil {
		if card := plain(r.Form.Notice); card != "" {
			above = append(above, card)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Errors)) {
		wrong := r.Errors[name]
		if slices.ContainsFunc(specs, func(f fieldSpec) bool { return f.Name == name }) {
			if a.Errors == nil {
				a.Errors = map[string]string{}
			}
			a.Errors[name] = wrong
			continue
		}
		above = append(above, wrong)
	}
	if r.Message != nil {
		above = append(above, plain(r.Message.Blocks))
		for _, b := range r.Message.Blocks { // there are no buttons here
			if words := typedWords(b.Actions, r.Message.Lang, false); b.Kind == bot.BlockActions && words != "" {
				above = append(above, strings.ReplaceAll(words, "**", ""))
			}
		}
	}
	a.Error = strings.Join(above, "\n\n")
	return a
}
