package bot

import (
	"context"
	"time"

	"github.com/weerklank/weerklank/prompts"
)

// Chat is a port: a platform. It carries messages out and events in, and decides nothing.
type Chat interface {
	// Platform is the prefix of the TeamIDs it serves: "slack", "mattermost", "workspace".
	Platform() string
	// Post says m in a team's channel, in the thread of ref if that is not empty. key is stable over attempts and
	// lets a platform drop a repeat. A *RetryError: nothing was posted, come back. ErrUncertain or the error of ctx: it
	// may or may not stand there, or still land within SettleWindow. ErrUnauthorised: nothing was posted, and nothing
	// will be until the platform lets the bot in again; it is for the whole platform, never for one channel. ErrGone:
	// the channel is gone. Anything else: nothing was posted, and it failed for good.
	Post(ctx context.Context, team TeamID, m Message, thread Ref, key string) (Ref, error)
	// Direct says m in private to the person of the event being handled or to an actor. Errors as Post.
	Direct(ctx context.Context, to Recipient, m Message, key string) error
	// Run receives events until ctx ends, then waits for the handlers it started.
	Run(ctx context.Context, h Handler) error
}

// Editor is an optional capability of a Chat: replacing a posted message. Without it a closed round's post stays.
// Errors as Post; ErrNotFound: it does not stand there any more. What is unknown is done again after SettleWindow, so that
// the last edit is the one that stays.
type Editor interface {
	Edit(ctx context.Context, team TeamID, ref Ref, m Message) error
}

// SettleWindow is how long after its start an attempt whose outcome is unknown may still land (TRUST 8, D3): our own
// timeout, and as much again for the platform to finish what we gave up. Before that nothing is looked up, repeated or
// asked about.
const SettleWindow = 2 * sendTimeout

// Finder is an optional capability of a Chat: looking an own post up by its key. Without it an uncertain post is never
// repeated; a person is asked.
type Finder interface {
	// Find looks for the post of the attempt that began at since, not earlier than Settles after it: a look-up before
	// that may say "not there" of what lands a moment later. ErrNotFound: it was not posted and will not be; only then
	// is it posted again, with the same key. A *RetryError: too early to tell. ErrUncertain: nobody can tell, and a
	// person is asked. Anything else, the error of ctx included: the look-up failed, and is done again later.
	Find(ctx context.Context, team TeamID, key string, since time.Time) (Ref, error)
	// Settles is how long after its start an attempt may still land after its caller gave up or died: SettleWindow for
	// a platform behind a network, more if it takes uploads. Zero only if nothing can land once the call came back or
	// the process ended.
	Settles() time.Duration
}

// Former is an optional capability of a Chat: it can show forms. Without it the texts name words to type.
type Former interface{ Forms() bool }

// Shutter is an optional capability of a Former: its forms are gone once they are sent in, and have no last view. Then what
// its reader needs to keep stands on the form before that, and a form has every field from the start.
type Shutter interface{ Shuts() bool }

// People is an optional capability of a Chat: who is where, asked from the platform at the moment of use. Without it
// only talk-only works, since the six people cannot be counted. Errors: ErrGone and ErrUnauthorised as Post; anything else is
// asked again later.
type People interface {
	// Count returns the humans in the channel: no bots, no deactivated accounts. ErrForeign: not only the organisation's
	// own people are in it.
	Count(ctx context.Context, team TeamID) (int, error)
	// Channels returns the channels that the person is in together with the bot.
	Channels(ctx context.Context, user UserID) ([]TeamID, error)
	// Manages says whether the person is channel, team or system admin there.
	Manages(ctx context.Context, user UserID, team TeamID) (bool, error)
}

// Roster is an optional capability of a Chat: the display names of the people in a channel, so that authors are told when
// they name one (TRUST 5). The names stay in memory; without it only the other personal data is looked for.
type Roster interface {
	Names(ctx context.Context, team TeamID) ([]string, error)
}

// Namer is an optional capability of a Chat: what a channel is called, for a team that is switched on from elsewhere.
type Namer interface {
	ChannelName(ctx context.Context, team TeamID) (string, error)
}

// Handler handles one event and returns what to answer to its sender. An adapter acknowledges at the latest just
// inside its platform's limit, and says "received" only after the Handler returned.
type Handler func(context.Context, Event) (Response, error)

// Response is the answer to the sender of one event, in the sender's language. It is sent by the adapter at once and
// never stored. The zero Response says nothing.
type Response struct {
	Message *Message          // after a form: its last view; after a press or command: ephemeral; after a typed message: in that conversation
	Form    *Form             // opens a form, or shows the submitted one again with Errors
	Errors  map[string]string // by field name
	Kept    bool              // what was sent in is done; a Chat whose forms shut (Shutter) may close one on it and leave Message out
}

// Event is something a person or the platform did. The set is sealed.
type Event interface{ event() }

// From is what every event of a person carries.
type From struct {
	Key  string       // the platform's key of the event; a redelivery has the same
	User UserID       // who
	Name string       // display name, for the announcement of a manager; never stored with a reply
	Lang prompts.Lang // of the platform account
	Zone string       // IANA zone of the account; may be empty
	Team TeamID       // the channel it happened in; empty in a direct conversation
	Chan string       // display name of that channel
	At   time.Time    // platform's time of the message, edit, press or submission: the version of a reply

	Typed bool // the platform can show no form in answer to this event: it is given in words
}

// DirectReply is a typed direct message, or a later version of one.
type DirectReply struct {
	From
	Text    ReplyText
	Message string  // the platform's ID of the message
	Round   RoundID // set if it was typed in a round's thread or answer view
	Edited  bool
}

// ReplyWithdrawn is the deletion of a typed direct message.
type ReplyWithdrawn struct {
	From
	Message string
}

// Command is a slash command, or a message that addresses the bot in a channel. Text has no command name or mention.
type Command struct {
	From
	Text string
}

// ActionPressed is a button.
type ActionPressed struct {
	From
	Action Action
	Post   string // key of the post the button stands on, if known
	Ref    Ref    // the platform's reference to that post, if known: who presses a button proves that it stands there
}

// FormSubmitted is a form sent in.
type FormSubmitted struct {
	From
	Form   string // Form.Name
	State  string // Form.State
	Values map[string][]string
	Action string // Do of the extra action pressed instead of submit, if any
}

// ChannelGone says that the bot was removed from the channel or the channel was archived or deleted.
type ChannelGone struct {
	Key  string
	Team TeamID
	At   time.Time // platform's time, if known: what is older than the last act of a manager changes nothing
}

// Invited says that the bot was added to a channel. From is who did it, if the platform tells; Team and Chan are set.
type Invited struct{ From }

// ChannelMoved says that a channel has another name, or also another ID: To is Team unless it has.
type ChannelMoved struct {
	Key  string
	Team TeamID
	To   TeamID
	Chan string // its name now; empty: not known
}

// HomeOpened says that a person looks at the bot's own page, where a platform has one. The answer is what to show there.
type HomeOpened struct{ From }

func (DirectReply) event()    {}
func (ReplyWithdrawn) event() {}
func (Command) event()        {}
func (ActionPressed) event()  {}
func (FormSubmitted) event()  {}
func (ChannelGone) event()    {}
func (Invited) event()        {}
func (HomeOpened) event()     {}
func (ChannelMoved) event()   {}

// Message is what the bot says, neutral and never pre-escaped; adapters escape every position.
type Message struct {
	Lang   prompts.Lang `json:"lang"`
	Blocks []Block      `json:"blocks"`
}

// BlockKind is the shape of one part of a message.
type BlockKind string

// The kinds of block.
const (
	BlockHeading BlockKind = "heading" // Spans
	BlockText    BlockKind = "text"    // Spans
	BlockQuote   BlockKind = "quote"   // Spans: a person's words
	BlockPoles   BlockKind = "poles"   // Spans: exactly two, side by side, equal in weight
	BlockList    BlockKind = "list"    // Spans: one per numbered item
	BlockCode    BlockKind = "code"    // Spans: one, monospaced, line breaks kept
	BlockNote    BlockKind = "note"    // Spans: small print
	BlockActions BlockKind = "actions" // Actions
	BlockPicture BlockKind = "picture" // PNG; Spans: what it shows, for who does not see it
	BlockLink    BlockKind = "link"    // URL, made by the program; Spans: what it leads to
)

// Block is one part of a message.
type Block struct {
	Kind    BlockKind `json:"kind"`
	Spans   []Span    `json:"spans,omitempty"`
	Actions []Action  `json:"actions,omitempty"`
	PNG     []byte    `json:"png,omitempty"`
	URL     string    `json:"url,omitempty"`
}

// Span is a run of text in one style.
type Span struct {
	Text   string `json:"text"`
	Strong bool   `json:"strong,omitempty"`
	Person bool   `json:"person,omitempty"` // people's words: made inert by the adapter
}

// Action is a button. It carries no handle of a person or a reply: who presses is found by computing the address.
type Action struct {
	Do    string  `json:"do"`              // verb: "answer", "why", "share", "vote", …
	Round RoundID `json:"round,omitempty"` //
	Arg   string  `json:"arg,omitempty"`   // a choice of the verb
	Label string  `json:"label"`
	Main  bool    `json:"main,omitempty"`  // the one to draw the eye
	Typed string  `json:"typed,omitempty"` // the word to type instead
}

// Form is a form to fill in: a modal, a dialog, a page.
type Form struct {
	Name   string // "reply", "on", "settings", "remove"
	State  string // opaque; comes back with the submission
	Lang   prompts.Lang
	Title  string  // at most 24 characters
	Notice []Block // what its reader must see before anything else; above all, and read out
	Intro  []Block
	Fields []Field
	Submit string // at most 24 characters
	Extra  []Action

	Opener Action // opens the form where it could only be typed; zero: none
}

// FieldKind is the shape of one field.
type FieldKind string

// The kinds of field.
const (
	FieldText FieldKind = "text" // several lines
	FieldLine FieldKind = "line" // one line
	FieldOne  FieldKind = "one"  // one of Options; nothing preselected unless Value is set
	FieldMany FieldKind = "many" // any of Options
	FieldTick FieldKind = "tick" // one box; Value "yes" when ticked
)

// Field is one field of a form.
type Field struct {
	Name     string
	Kind     FieldKind
	Label    string
	Hint     string
	Value    []string
	Options  []Option
	Max      int // characters; 0: the platform's own limit
	Required bool
}

// Option is one choice of a field.
type Option struct {
	Value string
	Label string
}
