package slack

import (
	"fmt"
	"strconv"
	"strings"

	api "github.com/slack-go/slack"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

func sayer(lang prompts.Lang) func(string, ...string) string {
	return func(key string, pairs ...string) string { return locale.Say(lang, key, pairs...) }
}

// rendered is a message as Slack takes it.
type rendered struct {
	Text     string // the whole, for notifications and who has it read out; escaped, at most maxTopText
	Blocks   []api.Block
	Pictures []picture // to upload before the message is sent
}

// picture is one that has to be uploaded. Until place was called, its block shows nothing and the message may not be sent.
type picture struct {
	PNG []byte
	Alt string
	at  int // of its block
}

// place puts an uploaded file where picture i belongs; without an id, what it shows stands there in words.
func (r *rendered) place(i int, file string) {
	p := r.Pictures[i]
	id := r.Blocks[p.at].ID()
	if file == "" {
		r.Blocks[p.at] = api.NewContextBlock(id, plainText(p.Alt))
		return
	}
	r.Blocks[p.at] = api.NewImageBlockSlackFile(&api.SlackFileObject{ID: file}, p.Alt, id, nil)
}

// check holds the message to the table of limits. Every picture must have its place by then.
func (r *rendered) check() error { return checkMessage(r.Text, r.Blocks) }

// render makes a message of m. key is the post's: who presses a button proves that it stands there; it is empty where there
// is no post. An error that is errEmpty or errLong is about m, and nothing can be done about it here.
func render(m bot.Message, key string) (*rendered, error) {
	b := builder{key: key, pictures: true}
	if err := b.add(m.Blocks); err != nil {
		return nil, err
	}
	if len(b.blocks) > maxBlocks {
		b.join()
	}
	r := &rendered{Text: topText(m), Blocks: b.blocks, Pictures: b.found}
	if len(r.Blocks) == 0 {
		return nil, errEmpty
	}
	without := &rendered{Text: r.Text, Blocks: append([]api.Block(nil), r.Blocks...), Pictures: r.Pictures}
	for i := range r.Pictures {
		without.place(i, "")
	}
	return r, without.check()
}

// builder makes blocks, with ids that are unique in their message or view.
type builder struct {
	key      string // of the post
	pictures bool   // are uploaded; else what they show stands there in words
	blocks   []api.Block
	found    []picture
	buttons  int
}

func (b *builder) id() string { return "b" + strconv.Itoa(len(b.blocks)+1) }

func (b *builder) add(all []bot.Block) error {
	for _, block := range all {
		if err := b.one(block); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) one(block bot.Block) error {
	switch block.Kind {
	case bot.BlockHeading:
		title := oneLine(visible(joined(block.Spans)))
		switch {
		case title == "":
		case weight(title) <= maxHeader:
			b.blocks = append(b.blocks, api.NewHeaderBlock(plainText(title), api.HeaderBlockOptionBlockID(b.id())))
		default:
			b.paragraph([]bot.Span{{Text: title, Strong: true}})
		}
	case bot.BlockQuote:
		b.quote(joined(block.Spans))
	case bot.BlockPoles:
		b.poles(block.Spans)
	case bot.BlockList:
		b.list(block.Spans)
	case bot.BlockCode:
		text := strings.Trim(visible(joined(block.Spans)), "\n")
		if strings.TrimSpace(text) == "" {
			return nil
		}
		for _, p := range lines(text, maxText) {
			if part := text[p.from:p.to]; part != "" {
				b.rich(&api.RichTextPreformatted{Type: api.RTEPreformatted, Elements: []api.RichTextSectionElement{run(part, false)}})
			}
		}
	case bot.BlockNote:
		b.note(joined(block.Spans))
	case bot.BlockLink:
		b.rich(&api.RichTextSection{Type: api.RTESection, Elements: []api.RichTextSectionElement{
			api.NewRichTextSectionLinkElement(block.URL, oneLine(visible(joined(block.Spans))), nil),
		}})
	case bot.BlockActions:
		return b.actions(block.Actions)
	case bot.BlockPicture:
		return b.picture(block)
	default:
		b.paragraph(block.Spans)
	}
	return nil
}

// paragraph is running text. Without a strong run it is plain text, else rich text: both are shown as they are, and whole.
func (b *builder) paragraph(all []bot.Span) {
	text, strong := marked(all)
	for _, p := range pieces(text, maxText) {
		part := text[p.from:p.to]
		if !strings.Contains(string(strong[p.from:p.to]), "1") {
			b.blocks = append(b.blocks, api.NewSectionBlock(plainText(part), nil, nil, api.SectionBlockOptionBlockID(b.id()), api.SectionBlockOptionExpand(true)))
			continue
		}
		b.rich(&api.RichTextSection{Type: api.RTESection, Elements: runs(part, strong[p.from:p.to])})
	}
}

// quote is a person's words, with their line ends.
func (b *builder) quote(words string) {
	text := visible(words)
	for _, p := range pieces(text, maxText) {
		b.rich(&api.RichTextQuote{Type: api.RTEQuote, Elements: []api.RichTextSectionElement{run(text[p.from:p.to], false)}})
	}
}

// join puts quotes that follow each other in one block, as far as they fit, with an empty line between them so that two
// people's words do not become one quote. A message with a block for each is easier to read, and holds fewer.
func (b *builder) join() {
	var out []api.Block
	moved := map[int]int{} // where blocks went
	var last *api.RichTextBlock
	room := 0
	for i, block := range b.blocks {
		quote, ok := block.(*api.RichTextBlock)
		if ok {
			_, ok = quote.Elements[0].(*api.RichTextQuote)
		}
		size := 0
		if ok {
			for _, e := range quote.Elements[0].(*api.RichTextQuote).Elements {
				size += weight(e.(*api.RichTextSectionTextElement).Text)
			}
		}
		if ok && last != nil && size+1 <= room {
			last.Elements = append(last.Elements, api.NewRichTextSection(run("\n", false)), quote.Elements[0])
			room -= size + 1
			continue
		}
		last, room = nil, 0
		if ok {
			last, room = quote, maxText-size
		}
		moved[i] = len(out)
		out = append(out, block)
	}
	for i := range b.found {
		b.found[i].at = moved[b.found[i].at]
	}
	b.blocks = out
}

// poles stand side by side, in equal weight; what is too long for that, one below the other.
func (b *builder) poles(all []bot.Span) {
	var fields []*api.TextBlockObject
	fit := len(all) <= maxFields
	for _, s := range all {
		text := strings.TrimSpace(visible(s.Text))
		fit = fit && weight(text) <= maxField
		if text != "" {
			fields = append(fields, plainText(text))
		}
	}
	switch {
	case len(fields) == 0:
	case fit:
		b.blocks = append(b.blocks, api.NewSectionBlock(nil, fields, nil, api.SectionBlockOptionBlockID(b.id())))
	default:
		for _, f := range fields {
			b.paragraph([]bot.Span{{Text: f.Text}})
		}
	}
}

// list is numbered items, in as few blocks as they fit in.
func (b *builder) list(items []bot.Span) {
	var part *api.RichTextList
	room := 0
	for i, s := range items {
		text := oneLine(visible(s.Text))
		if text == "" {
			part = nil // the next one keeps its number
		}
		for n, p := range pieces(text, maxText) {
			item := text[p.from:p.to]
			if n > 0 { // the rest of an item that no block takes whole
				b.paragraph([]bot.Span{{Text: item}})
				part = nil
				continue
			}
			if part == nil || weight(item) > room {
				part = &api.RichTextList{Type: api.RTEList, Style: api.RTEListOrdered, Offset: i}
				room = maxText
				b.rich(part)
			}
			room -= weight(item)
			part.Elements = append(part.Elements, &api.RichTextSection{Type: api.RTESection, Elements: []api.RichTextSectionElement{run(item, s.Strong)}})
		}
	}
}

func (b *builder) note(words string) {
	text := strings.TrimSpace(visible(words))
	for _, p := range pieces(text, maxText) {
		b.blocks = append(b.blocks, api.NewContextBlock(b.id(), plainText(text[p.from:p.to])))
	}
}

// actions are buttons. What does not fit on one stands above them, whole.
func (b *builder) actions(all []bot.Action) error {
	var buttons []api.BlockElement
	var long []bot.Span
	for _, a := range all {
		b.buttons++
		e, err := button(a, b.key, b.buttons)
		if err != nil {
			return err
		}
		if whole := oneLine(visible(a.Label)); e.Text.Text != whole {
			long = append(long, bot.Span{Text: whole})
		}
		buttons = append(buttons, e)
	}
	b.list(long)
	for len(buttons) > 0 {
		n := min(len(buttons), maxActions)
		b.blocks = append(b.blocks, api.NewActionBlock(b.id(), buttons[:n]...))
		buttons = buttons[n:]
	}
	return nil
}

func (b *builder) picture(block bot.Block) error {
	alt := oneLine(visible(joined(block.Spans)))
	switch {
	case len(block.PNG) == 0 && alt == "":
		return nil
	case alt == "":
		return fmt.Errorf("slack: a picture of %d bytes that says nothing to who does not see it", len(block.PNG))
	case !b.pictures || len(block.PNG) == 0:
		b.note(alt)
		return nil
	}
	short, cut := shorten(alt, maxAlt)
	if cut {
		b.note(alt)
	}
	b.found = append(b.found, picture{PNG: block.PNG, Alt: short, at: len(b.blocks)})
	b.blocks = append(b.blocks, api.NewImageBlockSlackFile(&api.SlackFileObject{}, short, b.id(), nil))
	return nil
}

func (b *builder) rich(part api.RichTextElement) {
	b.blocks = append(b.blocks, api.NewRichTextBlock(b.id(), part))
}

func plainText(text string) *api.TextBlockObject {
	return api.NewTextBlockObject(api.PlainTextType, text, false, false)
}

func run(text string, strong bool) *api.RichTextSectionTextElement {
	if !strong {
		return api.NewRichTextSectionTextElement(text, nil)
	}
	return api.NewRichTextSectionTextElement(text, &api.RichTextSectionTextStyle{Bold: true})
}

// runs are the parts of a text in one style each; strong has a sign for each byte.
func runs(text string, strong []byte) []api.RichTextSectionElement {
	var out []api.RichTextSectionElement
	for from := 0; from < len(text); {
		to := from
		for to < len(text) && strong[to] == strong[from] {
			to++
		}
		out = append(out, run(text[from:to], strong[from] == '1'))
		from = to
	}
	return out
}

// marked joins runs of text and tells for each byte whether it is strong: '1', else '0'. A person's words never are.
func marked(all []bot.Span) (text string, strong []byte) {
	var out strings.Builder
	for _, s := range all {
		words := visible(s.Text)
		out.WriteString(words)
		mark := "0"
		if s.Strong && !s.Person {
			mark = "1"
		}
		strong = append(strong, strings.Repeat(mark, len(words))...)
	}
	return out.String(), strong
}

func joined(all []bot.Span) string {
	var out strings.Builder
	for _, s := range all {
		out.WriteString(s.Text)
	}
	return out.String()
}

// topText is the whole of a message in plain words. It is the one place where text may be cut: the blocks have it all.
func topText(m bot.Message) string {
	say := sayer(m.Lang)
	var parts, labels []string
	for _, block := range m.Blocks {
		var words []string
		for i, s := range block.Spans {
			text := inert(strings.TrimSpace(visible(s.Text)))
			switch {
			case block.Kind == bot.BlockList:
				words = append(words, strconv.Itoa(i+1)+". "+oneLine(text))
			case block.Kind == bot.BlockPoles && i > 0:
				words = append(words, say("slack.or"), text)
			case block.Kind == bot.BlockPoles:
				words = append(words, text)
			}
		}
		text := inert(strings.TrimSpace(visible(joined(block.Spans))))
		if len(words) > 0 {
			text = strings.Join(words, "\n")
		}
		if block.Kind == bot.BlockQuote && text != "" {
			text = "> " + strings.ReplaceAll(text, "\n", "\n> ")
		}
		if text != "" {
			parts = append(parts, text)
		}
		for _, a := range block.Actions {
			labels = append(labels, inert(oneLine(visible(a.Label))))
		}
	}
	if len(parts) == 0 {
		parts = labels
	}
	text := strings.Join(parts, "\n\n")
	if weight(text) > maxTopText {
		const dots = " …"
		cut := pieces(text, maxTopText-units(dots))[0]
		text = text[cut.from:cut.to] + dots
	}
	return escape(text)
}
