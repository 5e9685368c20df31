package slack

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"
)

// A second reading of the rules of Block Kit, on the JSON that is sent and independent of the table in limits.go.

type object = map[string]any

// sent is content as it goes over the line.
func sent(t testing.TB, content any) object {
	t.Helper()
	raw, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	var out object
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// shape gathers what is wrong.
type shape struct {
	problems    []string
	blockIDs    map[string]bool
	actionIDs   map[string]bool
	total       int
	input       bool
	words, said []string // every text that is shown; of those, the ones in quotes
}

func (s *shape) bad(format string, args ...any) {
	s.problems = append(s.problems, fmt.Sprintf(format, args...))
}

// only wants no other members than these in o; those with a star are required.
func (s *shape) only(what string, o object, members ...string) {
	for name := range o {
		if !slices.Contains(members, name) && !slices.Contains(members, name+"*") {
			s.bad("%s has %s", what, name)
		}
	}
	for _, m := range members {
		if name, must := strings.CutSuffix(m, "*"); must && o[name] == nil {
			s.bad("%s lacks %s", what, name)
		}
	}
}

func u16(s string) int { return len(utf16.Encode([]rune(s))) }

func (s *shape) within(what string, v any, most int) string {
	text, ok := v.(string)
	if !ok || text == "" || u16(text) > most {
		s.bad("%s: %T of %d, at most %d", what, v, u16(text), most)
	}
	return text
}

func (s *shape) shown(what string, v any, most int) {
	text := s.within(what, v, most)
	s.total += u16(text)
	s.words = append(s.words, text)
	if strings.TrimSpace(text) == "" {
		s.bad("%s is blank", what)
	}
	s.seen(what, text)
}

// seen wants nothing hidden in a text.
func (s *shape) seen(what, text string) {
	for _, r := range text {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			s.bad("%s holds %U", what, r)
		}
	}
}

// plain wants a text object that is shown as it is. The bot uses no other.
func (s *shape) plain(what string, v any, most int) {
	o, _ := v.(object)
	s.only(what, o, "type*", "text*", "emoji*")
	if o["type"] != "plain_text" || o["emoji"] != false {
		s.bad("%s is read for marks: %v %v", what, o["type"], o["emoji"])
	}
	s.shown(what, o["text"], most)
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func (s *shape) id(what string, v any, seen map[string]bool) {
	id := s.within(what, v, 255)
	if seen[id] {
		s.bad("%s %q twice", what, id)
	}
	seen[id] = true
}

func (s *shape) blocks(all []any, most int, modal bool) {
	if s.blockIDs == nil {
		s.blockIDs, s.actionIDs = map[string]bool{}, map[string]bool{}
	}
	if len(all) == 0 || len(all) > most {
		s.bad("%d blocks of %d", len(all), most)
	}
	for _, v := range all {
		b, _ := v.(object)
		s.id("block_id", b["block_id"], s.blockIDs)
		switch b["type"] {
		case "header":
			s.only("header", b, "type*", "block_id*", "text*")
			s.plain("header", b["text"], 150)
		case "divider":
			s.only("divider", b, "type*", "block_id*")
		case "section":
			s.only("section", b, "type*", "block_id*", "text", "fields", "expand")
			if b["text"] == nil == (b["fields"] == nil) {
				s.bad("a section has a text or fields")
			}
			if b["text"] != nil {
				s.plain("section", b["text"], 3000)
			}
			if n := len(list(b["fields"])); n > 10 {
				s.bad("%d fields", n)
			}
			for _, f := range list(b["fields"]) {
				s.plain("field", f, 2000)
			}
		case "context":
			s.only("context", b, "type*", "block_id*", "elements*")
			if n := len(list(b["elements"])); n == 0 || n > 10 {
				s.bad("%d in a context", n)
			}
			for _, e := range list(b["elements"]) {
				s.plain("context", e, 3000)
			}
		case "image":
			s.only("image", b, "type*", "block_id*", "alt_text*", "slack_file*")
			s.shown("alt_text", b["alt_text"], 2000)
			file, _ := b["slack_file"].(object)
			s.only("slack_file", file, "id*")
			s.within("file id", file["id"], 255)
		case "actions":
			s.only("actions", b, "type*", "block_id*", "elements*")
			if n := len(list(b["elements"])); n == 0 || n > 25 {
				s.bad("%d in actions", n)
			}
			for _, e := range list(b["elements"]) {
				o, _ := e.(object)
				s.only("button", o, "type*", "action_id*", "text*", "value*", "style")
				if o["type"] != "button" || o["style"] != nil && o["style"] != "primary" {
					s.bad("a button %v %v", o["type"], o["style"])
				}
				s.id("action_id", o["action_id"], s.actionIDs)
				s.plain("button", o["text"], 75)
				if v := s.within("value", o["value"], 2000); strings.ContainsAny(v, "<>&") {
					s.bad("a value that Slack may change: %s", v)
				}
			}
		case "rich_text":
			s.only("rich_text", b, "type*", "block_id*", "elements*")
			before := s.total
			for _, e := range list(b["elements"]) {
				s.rich(e)
			}
			if n := s.total - before; n == 0 || n > 3000 {
				s.bad("%d characters of rich text", n)
			}
		case "input":
			if !modal {
				s.bad("an input outside a modal")
			}
			s.input = true
			s.only("input", b, "type*", "block_id*", "label*", "element*", "hint", "optional")
			s.plain("label", b["label"], 2000)
			if b["hint"] != nil {
				s.plain("hint", b["hint"], 2000)
			}
			s.element(b["element"])
		default:
			s.bad("a block %v", b["type"])
		}
	}
}

func (s *shape) rich(v any) {
	o, _ := v.(object)
	quote := o["type"] == "rich_text_quote"
	switch o["type"] {
	case "rich_text_section":
		s.only("rich text", o, "type*", "elements*")
	case "rich_text_quote", "rich_text_preformatted":
		s.only("rich text", o, "type*", "elements*", "border")
	case "rich_text_list":
		s.only("list", o, "type*", "elements*", "style*", "indent", "border", "offset")
		if o["style"] != "ordered" || len(list(o["elements"])) == 0 {
			s.bad("a list %v", o["style"])
		}
		for _, item := range list(o["elements"]) {
			if i, _ := item.(object); i["type"] != "rich_text_section" {
				s.bad("a list with %v", i["type"])
			}
			s.rich(item)
		}
		return
	default:
		s.bad("rich text %v", o["type"])
	}
	if len(list(o["elements"])) == 0 {
		s.bad("empty rich text")
	}
	var whole strings.Builder
	for _, e := range list(o["elements"]) {
		r, _ := e.(object)
		if url, _ := r["url"].(string); r["type"] == "link" && strings.Contains(url, "/library/in#") { // the way in that an editor asked for
			s.only("link", r, "type*", "text*", "url*")
			r = object{"type": "text", "text": r["text"]}
		}
		s.only("run", r, "type*", "text*", "style")
		if style, _ := r["style"].(object); r["type"] != "text" || r["style"] != nil && (len(style) != 1 || style["bold"] != true) {
			s.bad("a run %v %v", r["type"], r["style"])
		}
		text := s.within("run", r["text"], 3000)
		s.seen("run", text)
		s.total += u16(text)
		whole.WriteString(text)
	}
	s.words = append(s.words, whole.String())
	if quote {
		s.said = append(s.said, whole.String())
	}
}

func (s *shape) element(v any) {
	o, _ := v.(object)
	s.id("action_id", o["action_id"], s.actionIDs)
	options := func(most int) map[string]any {
		all := list(o["options"])
		if len(all) == 0 || len(all) > most {
			s.bad("%d options of %d", len(all), most)
		}
		known := map[string]any{}
		for _, v := range all {
			p, _ := v.(object)
			s.only("option", p, "type", "text*", "value*")
			s.plain("option", p["text"], 75)
			value := s.within("value", p["value"], 150)
			if known[value] != nil {
				s.bad("option %q twice", value)
			}
			known[value] = v
		}
		return known
	}
	same := func(known map[string]any, v any) {
		p, _ := v.(object)
		if value, _ := p["value"].(string); known[value] == nil || fmt.Sprint(known[value]) != fmt.Sprint(v) {
			s.bad("chosen and not offered: %v", v)
		}
	}
	switch o["type"] {
	case "plain_text_input":
		s.only("text input", o, "type*", "action_id*", "multiline", "max_length*", "initial_value")
		most, _ := o["max_length"].(float64)
		first, _ := o["initial_value"].(string)
		s.words = append(s.words, first)
		s.seen("initial_value", first)
		if most < 1 || most > 3000 || u16(first) > int(most) {
			s.bad("max_length %v, %d there", most, u16(first))
		}
	case "radio_buttons":
		s.only("radio buttons", o, "type*", "action_id*", "options*", "initial_option")
		if known := options(10); o["initial_option"] != nil {
			same(known, o["initial_option"])
		}
	case "static_select":
		s.only("select", o, "type*", "action_id*", "options*", "initial_option", "placeholder*")
		s.plain("placeholder", o["placeholder"], 150)
		if known := options(100); o["initial_option"] != nil {
			same(known, o["initial_option"])
		}
	case "checkboxes", "multi_static_select":
		most := 10
		if o["type"] == "multi_static_select" {
			most = 100
			s.plain("placeholder", o["placeholder"], 150)
		}
		s.only("boxes", o, "type*", "action_id*", "options*", "initial_options", "placeholder")
		known := options(most)
		if o["initial_options"] != nil && len(list(o["initial_options"])) == 0 {
			s.bad("no initial options")
		}
		for _, v := range list(o["initial_options"]) {
			same(known, v)
		}
	default:
		s.bad("an element %v", o["type"])
	}
}

// live is what would call people, lead away or be a mark in a text that Slack reads.
var live = map[string]*regexp.Regexp{
	"sign":   regexp.MustCompile(`[<>]|&(amp|lt|gt);?`),
	"marks":  regexp.MustCompile(`(^|[\s\pP\pS])([*_~])[^\s*_~][^\n]*?([*_~])($|[\s\pP\pS])`),
	"code":   regexp.MustCompile("`"),
	"emoji":  regexp.MustCompile(`:[0-9_+'-]*[a-zA-Z][a-zA-Z0-9_+'-]*:`),
	"hidden": regexp.MustCompile(`[\x{202a}-\x{202e}\x{2066}-\x{2069}\x{200b}-\x{200f}\x00-\x09\x0b-\x1f\x7f]`),
}

// message reads a rendered message.
func (s *shape) message(t testing.TB, text string, blocks any) {
	t.Helper()
	whole := sent(t, object{"blocks": blocks})
	s.blocks(list(whole["blocks"]), 50, false)
	if s.total > 12_000 {
		s.bad("%d characters in a message", s.total)
	}
	s.text(text)
}

func (s *shape) text(text string) {
	if n := u16(text); n == 0 || n > 4000 {
		s.bad("a text of %d", n)
	}
	if bare := regexp.MustCompile(`&(amp|lt|gt);`).ReplaceAllString(text, ""); strings.ContainsAny(bare, "<>&") {
		s.bad("signs that are not escaped")
	}
	for line := range strings.SplitSeq(text, "\n") {
		line = regexp.MustCompile(`^(&gt; )`).ReplaceAllString(line, "")
		for what, sign := range live {
			if what != "sign" && sign.MatchString(line) {
				s.bad("%s is alive in %q", what, line)
			}
		}
		if strings.HasPrefix(strings.TrimSpace(line), "&gt;") {
			s.bad("%q begins a quote", line)
		}
	}
}

// view reads a modal or home.
func (s *shape) view(t testing.TB, v any) {
	t.Helper()
	o := sent(t, v)
	s.only("view", o, "type*", "blocks*", "title", "submit", "close", "private_metadata*", "callback_id*")
	s.within("private_metadata", o["private_metadata"], 3000)
	s.within("callback_id", o["callback_id"], 255)
	modal := o["type"] == "modal"
	s.blocks(list(o["blocks"]), 100, modal)
	if !modal && (o["type"] != "home" || o["title"] != nil || o["submit"] != nil || o["close"] != nil) {
		s.bad("a view %v", o["type"])
	}
	if modal {
		s.plain("title", o["title"], 24)
		s.plain("close", o["close"], 24)
	}
	if o["submit"] != nil {
		s.plain("submit", o["submit"], 24)
	}
	if s.input && o["submit"] == nil {
		s.bad("inputs and no submit")
	}
	if raw, err := json.Marshal(v); err != nil || len(raw) > 250_000 {
		s.bad("a view of %d bytes: %v", len(raw), err)
	}
}

func (s *shape) fail(t testing.TB, what string) {
	t.Helper()
	for _, p := range s.problems {
		t.Errorf("%s: %s", what, p)
	}
}
