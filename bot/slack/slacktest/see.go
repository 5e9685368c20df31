package slacktest

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Option is a choice of a control.
type Option struct{ Text, Value, Description string }

// Control is a button, menu or field as people see it, on a message, a modal or the Home.
type Control struct {
	BlockID, ActionID, Type string

	Label, Hint, Placeholder string // Label of a button is its text
	Value, URL, Style        string // of a button
	Confirm                  string // what is asked first
	Options                  []Option
	Input                    bool // stands in an input block
	Required, Multiline      bool
	Min, Max                 int // of a text; Max 0: 3000

	json    obj
	initial any
	block   string // type of the block
	acts    bool   // tells the app when it is used
}

// Surface is what has controls: a Message or a View.
type Surface interface {
	Seen() string
	controls() []Control
}

// Message is a message as people see it.
type Message struct {
	Channel, TS, User string
	Bot               bool
	Text              string // with blocks it shows in notifications only
	Thread            string // ts of the message that it replies to
	Subtype           string
	Blocks            []any // JSON
	Metadata          any   // JSON
	Files             []File
	Edited            bool
	Only              string // the one person who sees it
	Broadcast         bool
}

// View is a modal or Home as a person sees it.
type View struct {
	ID, Hash, Type, User        string
	Title, SubmitLabel, Close   string // Close is the label of its button
	CallbackID, PrivateMetadata string
	ExternalID                  string
	Root, Previous              string
	Blocks                      []any // JSON
	Values                      map[string]any
}

// File is what hangs on a message.
type File struct {
	Name, Title, Mime string
	Data              []byte
	Audio             bool // a voice clip
}

func (m Message) controls() []Control { return controls(m.Blocks) }

func (v View) controls() []Control { return controls(v.Blocks) }

// Controls is every control of a message or view, from the top.
func Controls(on Surface) []Control { return on.controls() }

// Find is the control with this label, action id or block id; a label counts first. nil: there is none.
func Find(on Surface, name string) *Control {
	list := on.controls()
	for _, is := range []func(Control) bool{
		func(c Control) bool { return c.Label == name }, func(c Control) bool { return c.ActionID == name },
		func(c Control) bool { return c.BlockID == name }, func(c Control) bool { return c.Value == name && name != "" },
	} {
		if i := slices.IndexFunc(list, is); i >= 0 {
			return &list[i]
		}
	}
	return nil
}

// Labels is the labels of all buttons of a message or view.
func Labels(on Surface) []string {
	var out []string
	for _, c := range on.controls() {
		if c.Type == "button" {
			out = append(out, c.Label)
		}
	}
	return out
}

// Seen is all the words of a message as people see them: of its blocks, or else its text.
func (m Message) Seen() string {
	if len(m.Blocks) > 0 {
		return seen(m.Blocks)
	}
	return unescape(m.Text)
}

// Seen is all the words of a view as people see them.
func (v View) Seen() string {
	return strings.Join(slices.DeleteFunc([]string{v.Title, seen(v.Blocks), bracket(v.SubmitLabel), bracket(v.Close)}, func(t string) bool { return t == "" }), "\n")
}

var (
	sequence = regexp.MustCompile(`<[^<>\n]+>`)
	parsed   = regexp.MustCompile(`https?://\S+|@(?:channel|here|everyone)\b|#[\w-]+`)
)

// Live is what is not only words in a message or view: mentions, links and dates in marked-up text, also those that Slack finds
// itself in text that is not verbatim, and the same as parts of rich text.
func Live(on Surface) []string {
	var out []string
	blocks, words := []any(nil), ""
	switch on := on.(type) {
	case Message:
		blocks, words = on.Blocks, on.Text
	case View:
		blocks = on.Blocks
	}
	out = append(out, sequence.FindAllString(words, -1)...)
	var look func(v any)
	look = func(v any) {
		switch x := v.(type) {
		case []any:
			for _, e := range x {
				look(e)
			}
		case obj:
			switch kind := str(x["type"]); kind {
			case "mrkdwn":
				t := str(x["text"])
				out = append(out, sequence.FindAllString(t, -1)...)
				if x["verbatim"] != true {
					out = append(out, parsed.FindAllString(sequence.ReplaceAllString(t, ""), -1)...)
				}
			case "user", "usergroup", "channel", "broadcast", "link":
				out = append(out, kind)
			}
			for _, k := range slices.Sorted(maps.Keys(x)) {
				look(x[k])
			}
		}
	}
	look(any(blocks))
	return out
}

func bracket(t string) string {
	if t == "" {
		return ""
	}
	return "[" + t + "]"
}

func unescape(t string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(t)
}

func escape(t string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(t)
}

// words is of a text object.
func words(v any) string {
	o, _ := v.(obj)
	if str(o["type"]) == "mrkdwn" {
		return unescape(str(o["text"]))
	}
	return str(o["text"])
}

// seen is blocks as lines of words.
func seen(blocks []any) string {
	var out []string
	add := func(t string) {
		if t != "" {
			out = append(out, t)
		}
	}
	each := func(v any, f func(obj)) {
		list, _ := v.([]any)
		for _, x := range list {
			if o, _ := x.(obj); o != nil {
				f(o)
			}
		}
	}
	element := func(o obj) {
		switch str(o["type"]) {
		case "plain_text", "mrkdwn":
			add(words(o))
		case "image":
			add(str(o["alt_text"]))
		default:
			add(bracket(words(o["text"])))
			add(words(o["placeholder"]))
			each(o["options"], func(p obj) {
				add("( ) " + words(p["text"]))
				add(words(p["description"]))
			})
		}
	}
	for _, x := range blocks {
		b, _ := x.(obj)
		switch str(b["type"]) {
		case "rich_text":
			add(richWords(b["elements"], "\n"))
		case "markdown":
			add(str(b["text"]))
		case "image":
			add(words(b["title"]))
			add(str(b["alt_text"]))
		default:
			add(words(b["text"]))
			add(words(b["title"]))
			add(words(b["label"]))
			add(words(b["hint"]))
			each(b["fields"], element)
			each(b["elements"], element)
			for _, name := range []string{"accessory", "element"} {
				if o, _ := b[name].(obj); o != nil {
					element(o)
				}
			}
		}
	}
	return strings.Join(out, "\n")
}

func richWords(v any, sep string) string {
	list, _ := v.([]any)
	var out []string
	for _, x := range list {
		o, _ := x.(obj)
		switch str(o["type"]) {
		case "rich_text_list":
			out = append(out, richWords(o["elements"], "\n"))
		case "rich_text_section", "rich_text_quote", "rich_text_preformatted":
			out = append(out, richWords(o["elements"], ""))
		case "link":
			if t := str(o["text"]); t != "" {
				out = append(out, t)
			} else {
				out = append(out, str(o["url"]))
			}
		case "user":
			out = append(out, "<@"+str(o["user_id"])+">")
		case "emoji":
			out = append(out, ":"+str(o["name"])+":")
		case "broadcast":
			out = append(out, "@"+str(o["range"]))
		case "date":
			out = append(out, str(o["fallback"]))
		default:
			out = append(out, str(o["text"]))
		}
	}
	return strings.Join(out, sep)
}

// controls is the controls of blocks.
func controls(blocks any) []Control {
	list, _ := blocks.([]any)
	var out []Control
	for _, x := range list {
		b, _ := x.(obj)
		id := str(b["block_id"])
		one := func(v any) {
			o, _ := v.(obj)
			if o == nil || where[str(o["type"])] == nil || str(o["type"]) == "image" {
				return
			}
			c := control(o)
			c.BlockID, c.block = id, str(b["type"])
			c.acts = c.block != "input"
			if c.block == "input" {
				c.Input, c.Label, c.Hint, c.Required = true, words(b["label"]), words(b["hint"]), b["optional"] != true
				c.acts = b["dispatch_action"] == true
			} else if c.Label == "" && c.block == "section" {
				c.Label = words(b["text"])
			}
			out = append(out, c)
		}
		one(b["accessory"])
		one(b["element"])
		if str(b["type"]) == "actions" {
			elements, _ := b["elements"].([]any)
			for _, e := range elements {
				one(e)
			}
		}
	}
	return out
}

func control(o obj) Control {
	c := Control{
		ActionID: str(o["action_id"]), Type: str(o["type"]), Label: words(o["text"]), Placeholder: words(o["placeholder"]), Value: str(o["value"]),
		URL: str(o["url"]), Style: str(o["style"]), Multiline: o["multiline"] == true, json: o,
	}
	if f, ok := o["min_length"].(float64); ok {
		c.Min = int(f)
	}
	if f, ok := o["max_length"].(float64); ok {
		c.Max = int(f)
	}
	if k, _ := o["confirm"].(obj); k != nil {
		c.Confirm = words(k["title"]) + "\n" + words(k["text"])
	}
	for _, p := range c.raw() {
		c.Options = append(c.Options, Option{words(p["text"]), str(p["value"]), words(p["description"])})
	}
	for _, name := range []string{
		"initial_value", "initial_option", "initial_options", "initial_date", "initial_time", "initial_user", "initial_channel", "initial_conversation",
	} {
		if o[name] != nil {
			c.initial = o[name]
		}
	}
	return c
}

// raw is the options as JSON.
func (c Control) raw() []obj {
	var out []obj
	add := func(v any) {
		list, _ := v.([]any)
		for _, x := range list {
			if p, _ := x.(obj); p != nil {
				out = append(out, p)
			}
		}
	}
	add(c.json["options"])
	groups, _ := c.json["option_groups"].([]any)
	for _, g := range groups {
		if o, _ := g.(obj); o != nil {
			add(o["options"])
		}
	}
	return out
}

// Preset is what the control holds before anybody touched it: the text, or the labels of the options, parted by "; ".
func (c Control) Preset() string {
	switch x := c.initial.(type) {
	case string:
		return x
	case obj:
		return words(x["text"])
	case []any:
		var out []string
		for _, o := range x {
			p, _ := o.(obj)
			out = append(out, words(p["text"]))
		}
		return strings.Join(out, "; ")
	}
	return ""
}

// slot is the name under which a value of this type stands in an interaction.
func (c Control) slot() string {
	switch c.Type {
	case "plain_text_input", "email_text_input", "url_text_input", "number_input":
		return "value"
	case "rich_text_input":
		return "rich_text_value"
	case "radio_buttons", "static_select", "external_select", "overflow":
		return "selected_option"
	case "checkboxes", "multi_static_select", "multi_external_select":
		return "selected_options"
	case "users_select":
		return "selected_user"
	case "multi_users_select":
		return "selected_users"
	case "channels_select":
		return "selected_channel"
	case "multi_channels_select":
		return "selected_channels"
	case "conversations_select":
		return "selected_conversation"
	case "multi_conversations_select":
		return "selected_conversations"
	case "datepicker":
		return "selected_date"
	case "timepicker":
		return "selected_time"
	case "datetimepicker":
		return "selected_date_time"
	case "file_input":
		return "files"
	}
	return ""
}

// atFirst is what it holds before anybody touched it, as the state of a view has it.
func (c Control) atFirst() obj {
	v := c.initial
	if v == nil && strings.HasSuffix(c.slot(), "s") {
		v = []any{}
	}
	return obj{"type": c.Type, c.slot(): v}
}

// message is a message as people see it.
func (s *Server) message(m *message) Message {
	v := Message{
		Channel: m.ch.ID, TS: m.ts, User: m.user, Bot: m.bot, Text: m.text, Thread: m.thread, Subtype: m.subtype, Blocks: m.blocks, Metadata: m.metadata,
		Edited: m.edited != "", Only: m.only, Broadcast: m.broadcast,
	}
	if m.tombstone {
		v.Text, v.Blocks, v.Subtype = "This message was deleted.", nil, "tombstone"
	}
	for _, f := range m.files {
		v.Files = append(v.Files, File{f.name, f.title, f.mime, f.data, f.audio})
	}
	return v
}

// Channel is what stands in a conversation, threads too, oldest first, without joins and leaves.
func (s *Server) Channel(channel string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.look(s.channels[channel])
}

func (s *Server) look(c *channel) []Message {
	var list []Message
	for _, m := range c.messages {
		if m.there() && !strings.HasPrefix(m.subtype, "channel_") {
			list = append(list, s.message(m))
		}
	}
	return list
}

// DM is what stands between a person and the bot, oldest first.
func (s *Server) DM(user string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range s.chanOrder {
		if c := s.channels[id]; c.im && c.user == user {
			return s.look(c)
		}
	}
	return nil
}

// FromBot is the messages of the list that the bot posted.
func FromBot(list []Message) []Message {
	return slices.DeleteFunc(slices.Clone(list), func(m Message) bool { return !m.Bot })
}

// Message is one message that is still there.
func (s *Server) Message(channel, ts string) (Message, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.channels[channel]; c != nil {
		if m := c.find(ts); m != nil {
			return s.message(m), true
		}
	}
	return Message{}, false
}

// Ephemerals is what was shown to one person only and not taken away, oldest first.
func (s *Server) Ephemerals(user string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.whispers(user, 0)
}

func (s *Server) whispers(user string, from int) []Message {
	var list []Message
	for _, m := range s.ephemeral[from:] {
		if m.only == user && m.there() {
			list = append(list, s.message(m))
		}
	}
	return list
}

// Modal is what a person has on the screen; nil: no modal.
func (s *Server) Modal(user string) *View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.modal(user)
}

func (s *Server) modal(user string) *View {
	if v := s.top(user); v != nil {
		return s.asView(v)
	}
	return nil
}

func (s *Server) top(user string) *view {
	if stack := s.stacks[user]; len(stack) > 0 {
		return stack[len(stack)-1]
	}
	return nil
}

// Stack is every modal of a person, the lowest first.
func (s *Server) Stack(user string) []View {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []View
	for _, v := range s.stacks[user] {
		list = append(list, *s.asView(v))
	}
	return list
}

// Home is the Home of the app for a person; nil: nothing was published.
func (s *Server) Home(user string) *View {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.homes[user]; v != nil {
		return s.asView(v)
	}
	return nil
}

func (s *Server) asView(v *view) *View {
	blocks, _ := v.json["blocks"].([]any)
	return &View{
		ID: v.id, Hash: v.hash, Type: v.kind(), User: v.user, Title: words(v.json["title"]), SubmitLabel: words(v.json["submit"]), Close: words(v.json["close"]),
		CallbackID: str(v.json["callback_id"]), PrivateMetadata: str(v.json["private_metadata"]), ExternalID: str(v.json["external_id"]),
		Root: v.root, Previous: v.previous, Blocks: blocks, Values: s.values(v),
	}
}

func asObject(t string) obj {
	var o obj
	_ = json.Unmarshal([]byte(t), &o)
	return o
}
