package bot

import (
	"context"
	"slices"
	"strings"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// Where a form cannot be shown, it is typed: its lines stand in a message, to be copied, changed and sent back whole.

// inWords gives a form as a message to fill in, with what is wrong in what was sent.
func (b *Bot) inWords(form *Form, wrong map[string]string) *Message {
	say := sayer(form.Lang)
	m := &Message{Lang: form.Lang, Blocks: slices.Concat(form.Notice, form.Intro)}
	if form.Name == "remove" {
		m.Blocks = append(m.Blocks, Text(Rich(say("cmd.typed-remove"))...))
		return m
	}
	var problems, about []string
	lines := []string{say(headOf(form.Name)) + " " + form.State}
	for _, f := range form.Fields {
		if w := wrong[f.Name]; w != "" {
			problems = append(problems, f.Label+": "+w)
		}
		value := strings.Join(f.Value, ", ")
		note := f.Hint
		if f.Kind == FieldTick {
			value = say("cmd.typed-no")
			if len(f.Value) > 0 {
				value = say("cmd.typed-yes")
			}
			note = say("cmd.typed-tick")
		}
		if len(f.Options) > 0 {
			var labels, chosen []string
			for _, o := range f.Options {
				labels = append(labels, o.Label)
				if slices.Contains(f.Value, o.Value) {
					chosen = append(chosen, o.Label)
				}
			}
			value = strings.Join(chosen, ", ")
			note = strings.TrimSpace(note + " " + say("cmd.typed-choose", "choices", strings.Join(labels, " · ")))
		}
		if note != "" {
			about = append(about, f.Label+": "+note)
		}
		lines = append(lines, f.Label+": "+value)
	}
	if len(problems) > 0 {
		m.Blocks = append(m.Blocks, Text(Span{Text: say("cmd.typed-wrong"), Strong: true}), List(problems...))
	}
	m.Blocks = append(m.Blocks, Text(Rich(say("cmd.typed-how"))...), Code(strings.Join(lines, "\n")), List(about...))
	return m
}

// headOf is the first line of a form in words, before whose form it is.
func headOf(form string) string {
	if form == "on" {
		return "cmd.typed-on"
	}
	return "cmd.typed-settings"
}

// filled reads a message that is a form of settings, filled in. ok is false for anything else.
func (b *Bot) filled(ctx context.Context, f From, text string) (r Response, ok bool, err error) {
	head, rest, _ := strings.Cut(strings.TrimLeft(text, "`\n "), "\n") // copied with the marks around it
	name, state := "", ""
	for _, lang := range prompts.Langs() {
		for _, form := range []string{"on", "settings"} {
			if s, ok := cutFold(strings.TrimSpace(head), locale.Say(lang, headOf(form))+" "); ok {
				name, state = form, strings.TrimSpace(s)
			}
		}
	}
	if platform, _, ok := strings.Cut(state, ":"); name == "" || !ok || platform != f.User.platform {
		return Response{}, false, nil
	}
	r, err = b.submitSettings(ctx, FormSubmitted{From: f, Form: name, State: state, Values: b.fieldsOf(ctx, rest)})
	return r, true, err
}

// fieldsOf reads the lines of a form that was filled in, in either language. A line that names no field goes on with the
// one before.
func (b *Bot) fieldsOf(ctx context.Context, text string) map[string][]string {
	var fields []Field
	for _, lang := range prompts.Langs() {
		t := Team{Settings: b.o.Team}
		t.Settings.Rhythm = RhythmCustom
		for _, name := range []string{"settings", "on"} {
			fields = append(fields, b.settingsForm(ctx, From{Lang: lang}, t, name).Fields...)
		}
	}
	lines := map[string][]string{} // by field
	byName := map[string]Field{}
	current := ""
	for line := range strings.Lines(text) {
		line = strings.Trim(strings.TrimRight(line, "\r\n"), "`")
		for _, f := range fields {
			if v, ok := cutFold(line, f.Label+":"); ok {
				current, line = f.Name, v
				byName[f.Name] = f
				lines[current] = nil
				break
			}
		}
		if current != "" {
			lines[current] = append(lines[current], strings.TrimSpace(line))
		}
	}
	values := map[string][]string{}
	for name, all := range lines {
		f, v := byName[name], strings.TrimSpace(strings.Join(all, "\n"))
		values[name] = nil
		switch {
		case v == "":
		case f.Kind == FieldTick:
			for _, lang := range prompts.Langs() {
				if strings.EqualFold(v, locale.Say(lang, "cmd.typed-yes")) {
					values[name] = []string{"yes"}
				}
			}
		case f.Kind == FieldMany:
			for part := range strings.SplitSeq(v, ",") {
				values[name] = append(values[name], choiceOf(fields, name, strings.TrimSpace(part)))
			}
		case f.Kind == FieldOne:
			values[name] = []string{choiceOf(fields, name, v)}
		default:
			values[name] = []string{v}
		}
	}
	return values
}

// choiceOf finds the choice that somebody typed, by its label in either language or its value; what is none stays as it is
// and is refused as such.
func choiceOf(fields []Field, name, typed string) string {
	for _, f := range fields {
		for _, o := range f.Options {
			if f.Name == name && (strings.EqualFold(o.Label, typed) || strings.EqualFold(o.Value, typed)) {
				return o.Value
			}
		}
	}
	return typed
}

// cutFold cuts a prefix off, in any case.
func cutFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
