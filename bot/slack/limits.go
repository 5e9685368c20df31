package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	api "github.com/slack-go/slack"
)

// The table of what Slack takes: characters, counted as weight does, or numbers of things. Everything that is sent is held
// to it before the call.
const (
	maxBlocks     = 50 // of a message
	maxViewBlocks = 100
	maxTotal      = 12_000 // units in the blocks of a message; Slack refuses more than some 13,200
	maxTopText    = 4000   // of a message's own text
	maxView       = 250_000

	maxText        = 3000 // any text object; Slack names none for a block of rich text, so that it gets the same
	maxField       = 2000 // one of a section's fields
	maxFields      = 10
	maxHeader      = 150
	maxContext     = 10 // elements
	maxActions     = 25 // elements
	maxAlt         = 2000
	maxButton      = 75 // its text
	maxValue       = 2000
	maxID          = 255 // of a block, an action, a callback
	maxOption      = 75  // its text and its description
	maxOptionValue = 150
	maxSelect      = 100 // options of a list
	maxPicks       = 10  // radio buttons or checkboxes
	maxTitle       = 24  // of a modal; also what its two buttons say
	maxMetadata    = 3000
	maxLabel       = 2000 // of an input, and its hint
	maxPlaceholder = 150
	maxInput       = 3000 // what may be entered
)

var (
	errEmpty = errors.New("slack: there is nothing to show")
	errLong  = errors.New("slack: this does not fit in one message or view")
)

// inspection gathers everything that is wrong with a message or view.
type inspection struct {
	wrong   []error
	ids     map[string]bool // of blocks
	actions map[string]bool
	total   int
	inputs  int
	long    bool
}

func newInspection() *inspection {
	return &inspection{ids: map[string]bool{}, actions: map[string]bool{}}
}

func (in *inspection) note(format string, args ...any) {
	in.wrong = append(in.wrong, fmt.Errorf("slack: "+format, args...))
}

// length holds a text to the table. No text is told: it may be somebody's.
func (in *inspection) length(what, text string, least, most int) {
	if n := weight(text); n < least || n > most {
		in.note("%s has %d characters, of %d to %d", what, n, least, most)
		in.long = in.long || n > most
	}
	if !utf8.ValidString(text) {
		in.note("%s is no text", what)
	}
}

func (in *inspection) number(what string, n, least, most int) {
	if n < least || n > most {
		in.note("%d %s, of %d to %d", n, what, least, most)
		in.long = in.long || n > most
	}
}

func (in *inspection) err() error {
	if len(in.wrong) == 0 {
		return nil
	}
	if in.long {
		return errors.Join(append([]error{errLong}, in.wrong...)...)
	}
	return errors.Join(in.wrong...)
}

// checkMessage holds a message to the table.
func checkMessage(text string, blocks []api.Block) error {
	in := newInspection()
	if text == "" {
		return errEmpty
	}
	if n := units(text); n > maxTopText { // it is escaped already
		in.note("the text of a message has %d characters of %d", n, maxTopText)
	}
	in.number("blocks", len(blocks), 1, maxBlocks)
	in.blocks(blocks, false)
	in.number("characters in a message", in.total, 1, maxTotal)
	return in.err()
}

// checkModal holds a modal to the table.
func checkModal(v *api.ModalViewRequest) error {
	in := newInspection()
	if v.Type != api.VTModal {
		in.note("a modal of type %q", v.Type)
	}
	in.plain("title of a modal", v.Title, maxTitle)
	if v.Close != nil {
		in.plain("close button of a modal", v.Close, maxTitle)
	}
	if v.Submit != nil {
		in.plain("submit button of a modal", v.Submit, maxTitle)
	}
	in.blocks(v.Blocks.BlockSet, true)
	if in.inputs > 0 && v.Submit == nil {
		in.note("a modal with inputs and no submit button")
	}
	in.view(v, v.Blocks.BlockSet, v.PrivateMetadata, v.CallbackID)
	return in.err()
}

// checkHome holds an App Home to the table.
func checkHome(v *api.HomeTabViewRequest) error {
	in := newInspection()
	if v.Type != api.VTHomeTab {
		in.note("a home of type %q", v.Type)
	}
	in.blocks(v.Blocks.BlockSet, false)
	in.view(v, v.Blocks.BlockSet, v.PrivateMetadata, v.CallbackID)
	return in.err()
}

func (in *inspection) view(v any, blocks []api.Block, metadata, callback string) {
	in.number("blocks", len(blocks), 1, maxViewBlocks)
	in.length("private_metadata", metadata, 0, maxMetadata)
	in.length("callback_id", callback, 0, maxID)
	raw, err := json.Marshal(v)
	if err != nil {
		in.note("a view that is no JSON: %v", err)
	}
	in.number("bytes in a view", len(raw), 1, maxView)
}

// id holds a block's or action's id to the table; there is one of each.
func (in *inspection) id(what, id string, seen map[string]bool) {
	in.length(what, id, 1, maxID)
	if seen[id] {
		in.note("%s is there twice", what)
	}
	seen[id] = true
}

// plain holds a text that may only be plain to the table.
func (in *inspection) plain(what string, t *api.TextBlockObject, most int) {
	if t != nil && t.Type != api.PlainTextType {
		in.note("%s is not plain text", what)
	}
	in.text(what, t, most)
}

func (in *inspection) text(what string, t *api.TextBlockObject, most int) {
	if t == nil {
		in.note("%s is missing", what)
		return
	}
	in.length(what, t.Text, 1, most)
	in.total += units(t.Text)
	switch {
	case t.Type == api.PlainTextType && (t.Emoji == nil || *t.Emoji):
		in.note("%s turns words into emoji", what)
	case t.Type == api.MarkdownType && !t.Verbatim:
		in.note("%s turns words into links", what)
	case t.Type != api.PlainTextType && t.Type != api.MarkdownType:
		in.note("%s is a text of type %q", what, t.Type)
	}
}

func (in *inspection) blocks(all []api.Block, modal bool) {
	for _, b := range all {
		in.id("block_id", b.ID(), in.ids)
		switch b := b.(type) {
		case *api.HeaderBlock:
			in.plain("header", b.Text, maxHeader)
		case *api.DividerBlock:
		case *api.SectionBlock:
			if b.Text == nil && len(b.Fields) == 0 {
				in.note("an empty section")
			}
			if b.Text != nil {
				in.text("section", b.Text, maxText)
			}
			in.number("fields", len(b.Fields), 0, maxFields)
			for _, f := range b.Fields {
				in.text("field", f, maxField)
			}
		case *api.ContextBlock:
			in.number("elements of a context", len(b.ContextElements.Elements), 1, maxContext)
			for _, e := range b.ContextElements.Elements {
				if t, ok := e.(*api.TextBlockObject); ok {
					in.text("context", t, maxText)
				} else {
					in.note("a context with a %T", e)
				}
			}
		case *api.ImageBlock:
			in.length("alt text", b.AltText, 1, maxAlt)
			in.total += units(b.AltText)
			if b.SlackFile == nil || b.SlackFile.ID == "" || b.ImageURL != "" {
				in.note("a picture that is no uploaded file")
			}
		case *api.ActionBlock:
			in.number("buttons in a block", len(b.Elements.ElementSet), 1, maxActions)
			for _, e := range b.Elements.ElementSet {
				in.button(e)
			}
		case *api.RichTextBlock:
			in.rich(b)
		case *api.InputBlock:
			if !modal {
				in.note("an input outside a modal")
			}
			in.inputs++
			in.plain("label", b.Label, maxLabel)
			if b.Hint != nil {
				in.plain("hint", b.Hint, maxLabel)
			}
			in.input(b.Element)
		default:
			in.note("a block %T", b)
		}
	}
}

func (in *inspection) button(e api.BlockElement) {
	b, ok := e.(*api.ButtonBlockElement)
	if !ok {
		in.note("a %T among buttons", e)
		return
	}
	in.plain("button", b.Text, maxButton)
	in.id("action_id", b.ActionID, in.actions)
	in.length("value of a button", b.Value, 1, maxValue)
	if b.Style != api.StyleDefault && b.Style != api.StylePrimary {
		in.note("a button of style %q", b.Style)
	}
	if b.URL != "" {
		in.note("a button that leads away")
	}
}

// rich holds a block of rich text to the table: text, and the link to the library; what else there is calls people or leads away.
func (in *inspection) rich(b *api.RichTextBlock) {
	n, sent := 0, 0
	runs := func(elements []api.RichTextSectionElement) {
		if len(elements) == 0 {
			in.note("empty rich text")
		}
		for _, e := range elements {
			if link, ok := e.(*api.RichTextSectionLinkElement); ok && link.Text != "" && strings.Contains(link.URL, "/library/in#") {
				n += weight(link.Text) // the editor's own way in, and no other
				sent += units(link.Text) + units(link.URL)
				continue
			}
			t, ok := e.(*api.RichTextSectionTextElement)
			if !ok {
				in.note("a %T in rich text", e)
				continue
			}
			if t.Text == "" {
				in.note("an empty run of rich text")
			}
			n += weight(t.Text)
			sent += units(t.Text)
		}
	}
	if len(b.Elements) == 0 {
		in.note("rich text without parts")
	}
	for _, part := range b.Elements {
		switch part := part.(type) {
		case *api.RichTextSection:
			runs(part.Elements)
		case *api.RichTextQuote:
			runs(part.Elements)
		case *api.RichTextPreformatted:
			runs(part.Elements)
		case *api.RichTextList:
			if part.Style != api.RTEListOrdered && part.Style != api.RTEListBullet || len(part.Elements) == 0 {
				in.note("a list of style %q with %d items", part.Style, len(part.Elements))
			}
			for _, item := range part.Elements {
				if s, ok := item.(*api.RichTextSection); ok {
					runs(s.Elements)
				} else {
					in.note("a %T in a list", item)
				}
			}
		default:
			in.note("a %T in rich text", part)
		}
	}
	in.number("characters in rich text", n, 1, maxText)
	in.total += sent
}

func (in *inspection) input(e api.BlockElement) {
	switch e := e.(type) {
	case *api.PlainTextInputBlockElement:
		in.id("action_id", e.ActionID, in.actions)
		in.number("characters of an input", e.MaxLength, 1, maxInput)
		if n := units(e.InitialValue); n > e.MaxLength {
			in.note("an input begins with %d characters of %d", n, e.MaxLength)
		}
		if e.Placeholder != nil {
			in.plain("placeholder", e.Placeholder, maxPlaceholder)
		}
	case *api.RadioButtonsBlockElement:
		in.id("action_id", e.ActionID, in.actions)
		in.options(e.Options, initial(e.InitialOption), maxPicks)
	case *api.CheckboxGroupsBlockElement:
		in.id("action_id", e.ActionID, in.actions)
		in.options(e.Options, e.InitialOptions, maxPicks)
	case *api.SelectBlockElement:
		if e.Type != api.OptTypeStatic {
			in.note("a list of type %q", e.Type)
		}
		in.id("action_id", e.ActionID, in.actions)
		in.plain("placeholder", e.Placeholder, maxPlaceholder)
		in.options(e.Options, initial(e.InitialOption), maxSelect)
	case *api.MultiSelectBlockElement:
		if e.Type != api.MultiOptTypeStatic {
			in.note("a list of type %q", e.Type)
		}
		in.id("action_id", e.ActionID, in.actions)
		in.plain("placeholder", e.Placeholder, maxPlaceholder)
		in.options(e.Options, e.InitialOptions, maxSelect)
	default:
		in.note("an input %T", e)
	}
}

func initial(o *api.OptionBlockObject) []*api.OptionBlockObject {
	if o == nil {
		return nil
	}
	return []*api.OptionBlockObject{o}
}

func (in *inspection) options(all, chosen []*api.OptionBlockObject, most int) {
	in.number("options", len(all), 1, most)
	values := map[string]bool{}
	for _, o := range all {
		in.plain("option", o.Text, maxOption)
		in.length("value of an option", o.Value, 1, maxOptionValue)
		if o.Description != nil {
			in.plain("description of an option", o.Description, maxOption)
		}
		if values[o.Value] {
			in.note("two options have the same value")
		}
		values[o.Value] = true
	}
	for _, o := range chosen {
		if !slices.Contains(all, o) { // Slack compares whole options
			in.note("an option is chosen that is none")
		}
	}
}
