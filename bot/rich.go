package bot

import (
	"strconv"
	"strings"

	"github.com/weerklank/weerklank/bot/locale"
)

// Rich turns a catalogue template into spans: `**strong**` marks are split off first and placeholders filled afterwards,
// so that no value can become markup.
func Rich(template string, pairs ...string) []Span {
	var spans []Span
	for i, piece := range strings.Split(template, "**") {
		if piece != "" {
			spans = append(spans, Span{Text: locale.Fill(piece, pairs...), Strong: i%2 == 1})
		}
	}
	return spans
}

// Heading is the title of a message.
func Heading(text string) Block { return Block{Kind: BlockHeading, Spans: []Span{{Text: text}}} }

// Text is a paragraph.
func Text(spans ...Span) Block { return Block{Kind: BlockText, Spans: spans} }

// Quote is a person's words, whole.
func Quote(text string) Block {
	return Block{Kind: BlockQuote, Spans: []Span{{Text: text, Person: true}}}
}

// Note is small print.
func Note(text string) Block { return Block{Kind: BlockNote, Spans: []Span{{Text: text}}} }

// Link leads to a page of the program's own, never to what somebody wrote.
func Link(label, url string) Block {
	return Block{Kind: BlockLink, Spans: []Span{{Text: label}}, URL: url}
}

// List is numbered items.
func List(items ...string) Block {
	b := Block{Kind: BlockList}
	for _, item := range items {
		b.Spans = append(b.Spans, Span{Text: item})
	}
	return b
}

// Code is monospaced text whose line breaks stay.
func Code(text string) Block { return Block{Kind: BlockCode, Spans: []Span{{Text: text}}} }

// Plain is the whole content as plain text, for notifications, screen readers and tests.
func (m Message) Plain() string {
	var out strings.Builder
	for i, b := range m.Blocks {
		if i > 0 {
			out.WriteString("\n")
		}
		switch b.Kind {
		case BlockHeading:
			out.WriteString("# " + spansText(b.Spans) + "\n")
		case BlockQuote:
			out.WriteString("> " + strings.ReplaceAll(spansText(b.Spans), "\n", "\n> ") + "\n")
		case BlockPoles:
			for _, s := range b.Spans {
				out.WriteString("[ " + s.Text + " ]\n")
			}
		case BlockList:
			for n, s := range b.Spans {
				out.WriteString(strconv.Itoa(n+1) + ". " + s.Text + "\n")
			}
		case BlockLink:
			out.WriteString(spansText(b.Spans) + ": " + b.URL + "\n")
		case BlockNote:
			out.WriteString("~ " + spansText(b.Spans) + "\n")
		case BlockActions:
			var labels []string
			for _, a := range b.Actions {
				labels = append(labels, "("+a.Label+")")
			}
			out.WriteString(strings.Join(labels, " ") + "\n")
		default:
			out.WriteString(spansText(b.Spans) + "\n")
		}
	}
	return out.String()
}

func spansText(spans []Span) string {
	var out strings.Builder
	for _, s := range spans {
		out.WriteString(s.Text)
	}
	return out.String()
}
