package mattermost

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mattermost/mattermost/server/public/model"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// maxPost is how many characters a post may have. A longer one is never cut: it would lose somebody's words.
const maxPost = 16383

var (
	errEmptyPost = errors.New("mattermost: there is nothing to post")
	errLongPost  = errors.New("mattermost: the message does not fit in a post")
)

// hollow is a sign that takes no room. Behind a sign that starts a mention, a link or a tag, it leaves the sign alone.
const hollow = "\u200b"

func sayer(lang prompts.Lang) func(string, ...string) string {
	return func(key string, pairs ...string) string { return locale.Say(lang, key, pairs...) }
}

// render makes a post of a message, with buttons where the server can reach us. In a direct conversation (team is empty) it
// cannot be counted on that a dialog opens, and words do. key is the post's: who presses a button proves that it stands there.
func (a *Adapter) render(m bot.Message, team bot.TeamID, key string) (*model.Post, error) {
	buttons := team != "" && a.calls.open()
	text, err := renderText(m, buttons, team == "")
	p := &model.Post{Message: text}
	if !buttons {
		return p, err
	}
	box := &model.MessageAttachment{}
	for _, b := range m.Blocks {
		for _, action := range b.Actions {
			box.Actions = append(box.Actions, a.calls.button(action, team, key, len(box.Actions)+1))
		}
	}
	if len(box.Actions) > 0 {
		var labels []string
		for _, action := range box.Actions {
			labels = append(labels, action.Name)
		}
		box.Fallback = strings.Join(labels, ", ")
		p.AddProp(model.PostPropsAttachments, []*model.MessageAttachment{box})
	}
	return p, err
}

// button is an action on a post. The server knows buttons only by ids of letters and digits.
func (l *callbacks) button(action bot.Action, team bot.TeamID, key string, n int) *model.PostAction {
	b := &model.PostAction{
		Id: "a" + strconv.Itoa(n), Type: model.PostActionTypeButton, Name: labelText(action.Label),
		Integration: &model.PostActionIntegration{URL: l.base + "/press", Context: map[string]any{contextKey: l.sign.signPress(pressContext{
			Version: signVersion, Team: team, Offer: offerOf(action), Key: key, Until: l.now().Add(pressLife).Unix(),
		})}},
	}
	if action.Main {
		b.Style = "primary"
	}
	return b
}

// renderText is a message as Markdown. With buttons its actions are left out, else the words to type stand in their place.
func renderText(m bot.Message, buttons, direct bool) (string, error) {
	var out []string
	for _, b := range m.Blocks {
		var part string
		if b.Kind != bot.BlockActions {
			part = renderBlock(b)
		} else if !buttons {
			part = typedWords(b.Actions, m.Lang, direct)
		}
		if part == "" {
			continue
		}
		if n := len(out); n > 0 && strings.HasPrefix(part, "> ") && strings.HasPrefix(out[n-1], "> ") {
			out = append(out, hollow) // else two people's words become one quote
		}
		out = append(out, part)
	}
	text := strings.Join(out, "\n\n")
	switch {
	case text == "":
		return "", errEmptyPost
	case utf8.RuneCountInString(text) > maxPost:
		return "", errLongPost
	}
	return text, nil
}

func renderBlock(b bot.Block) string {
	switch b.Kind {
	case bot.BlockHeading:
		if title := oneLine(spans(b.Spans)); title != "" {
			return "#### " + title
		}
	case bot.BlockQuote:
		if words := spans(b.Spans); words != "" {
			return "> " + strings.ReplaceAll(words, "\n", "\n> ")
		}
	case bot.BlockPoles: // one below the other in the same weight: a table is a small picture on a telephone
		var poles []string
		for _, s := range b.Spans {
			poles = append(poles, oneLine(span(bot.Span{Text: s.Text, Strong: true})))
		}
		return strings.Join(poles, "\n⟷\n")
	case bot.BlockList:
		var items []string
		for i, s := range b.Spans {
			items = append(items, strconv.Itoa(i+1)+". "+oneLine(span(s)))
		}
		return strings.Join(items, "\n")
	case bot.BlockCode:
		text := ""
		for _, s := range b.Spans {
			text += s.Text
		}
		text = strings.ReplaceAll(strings.Trim(visible(text), "\n"), "<", "<"+hollow)
		fence := "```"
		for strings.Contains(text, fence) {
			fence += "`"
		}
		return fence + "\n" + text + "\n" + fence
	case bot.BlockLink:
		return "[" + oneLine(spans(b.Spans)) + "](" + b.URL + ")"
	default:
		return spans(b.Spans)
	}
	return ""
}

// typedWords names the words to type instead of buttons.
func typedWords(actions []bot.Action, lang prompts.Lang, direct bool) string {
	say := sayer(lang)
	var words, lines []string
	for _, a := range actions {
		label := strings.TrimPrefix(a.Label, a.Typed+". ")
		switch {
		case a.Typed == "" && a.Do == "answer" && direct:
			lines = append(lines, say("mm.answer-here"))
		case a.Typed == "" && a.Do == "answer":
			lines = append(lines, say("mm.answer-direct"))
		case a.Typed == "":
		case strings.EqualFold(a.Typed, label):
			words = append(words, "**"+escape(a.Typed)+"**")
		default:
			words = append(words, "**"+escape(a.Typed)+"** ("+oneLine(escape(label))+")")
		}
	}
	if len(words) > 0 {
		key := "mm.words-direct"
		if direct {
			key = "mm.words-here"
		}
		lines = append(lines, say(key)+" "+strings.Join(words, ", "))
	}
	return strings.Join(lines, "\n")
}

// spans joins runs of text.
func spans(all []bot.Span) string {
	var out strings.Builder
	for _, s := range all {
		out.WriteString(span(s))
	}
	return strings.TrimSpace(out.String())
}

// span is one run of text. The marks of a strong one stand close to its words on every line, or they would be read as signs.
func span(s bot.Span) string {
	text := escape(s.Text)
	if !s.Strong {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		words := strings.TrimSpace(line)
		if words == "" {
			continue
		}
		before, after, _ := strings.Cut(line, words)
		lines[i] = before + "**" + words + "**" + after
	}
	return strings.Join(lines, "\n")
}

// labelText is what stands on a button or in a list of choices, where no Markdown is read.
func labelText(s string) string { return strings.ReplaceAll(oneLine(visible(s)), "<", "<"+hollow) }

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// visible drops what is not seen: control signs, what turns the direction of text round, signs without width.
func visible(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029' || r == '\u00a0':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u034f':
			return -1
		}
		return r
	}, s)
}

// escape makes a text stand as it is, whoever wrote it: no Markdown, no mention, channel or tag, no link, picture or emoji.
// The clients differ in which signs a backslash may take, so that it is used for the common ones only.
func escape(s string) string {
	lines := strings.Split(visible(s), "\n")
	for i, line := range lines {
		lines[i] = escapeLine(strings.TrimSpace(line))
	}
	return keepEnds(s, strings.Join(lines, "\n"))
}

// keepEnds puts back a space that a run of text began or ended with: the next run goes on there.
func keepEnds(old, text string) string {
	if text == "" {
		if old != "" && strings.Trim(old, " ") == "" {
			return " "
		}
		return ""
	}
	if strings.HasPrefix(old, " ") {
		text = " " + text
	}
	if strings.HasSuffix(old, " ") {
		text += " "
	}
	return text
}

func escapeLine(line string) string {
	var out strings.Builder
	runes := []rune(line)
	digits := 0 // the line began with this many
	for i, r := range runes {
		next := rune(0)
		if i+1 < len(runes) {
			next = runes[i+1]
		}
		if i == digits && unicode.IsDigit(r) {
			digits++
		}
		switch {
		case strings.ContainsRune("\\`*_{}[]|", r):
			out.WriteRune('\\')
			out.WriteRune(r)
		case strings.ContainsRune(".)", r) && digits > 0 && i == digits: // no numbered item
			out.WriteRune('\\')
			out.WriteRune(r)
		case strings.ContainsRune("-+>", r) && i == 0:
			out.WriteRune('\\')
			out.WriteRune(r)
		case r == '#':
			out.WriteString("\\#" + hollow)
		case strings.ContainsRune("@~<$", r), r == '&' && !unicode.IsSpace(next), r == '=' && i == 0:
			out.WriteString(string(r) + hollow)
		case r == ':' && next != 0 && !unicode.IsSpace(next) && !(unicode.IsDigit(next) && i > 0 && unicode.IsDigit(runes[i-1])):
			out.WriteString(":" + hollow)
		case r == '.' && i >= 3 && strings.EqualFold(string(runes[i-3:i]), "www"):
			out.WriteString(hollow + ".")
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// plain is blocks as plain text, for where the server shows no Markdown.
func plain(blocks []bot.Block) string {
	var out []string
	for _, b := range blocks {
		var words strings.Builder
		for i, s := range b.Spans {
			if i > 0 && (b.Kind == bot.BlockPoles || b.Kind == bot.BlockList) {
				words.WriteString("\n")
			}
			words.WriteString(visible(s.Text))
		}
		if text := strings.TrimSpace(words.String()); text != "" {
			out = append(out, text)
		}
	}
	return strings.Join(out, "\n\n")
}

// actionsOf are the actions of a message, in their order.
func actionsOf(m bot.Message) []offer {
	var out []offer
	for _, b := range m.Blocks {
		for _, a := range b.Actions {
			out = append(out, offerOf(a))
		}
	}
	return slices.Clip(out)
}
