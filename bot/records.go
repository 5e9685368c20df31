package bot

import (
	"fmt"
	"time"

	"github.com/weerklank/weerklank/prompts"
)

// TeamID is a channel: "slack:<team>/<channel>", "mattermost:<team>/<channel>" or "workspace:<channel>".
type TeamID string

// RoundID, ReplyID and PostID are random (crypto/rand.Text), so that their order tells nothing; a PostID is made of
// its round and step (see Post).
type (
	RoundID string
	ReplyID string
	PostID  string
)

// Ref is the platform's own reference to a posted message.
type Ref string

// Address is the keyed hash of an account for one round. Its key dies at closing.
type Address [32]byte

// TeamState says whether a team takes part.
type TeamState string

// The states of a team. A resting team keeps its settings and history; a manager's tap or `on` wakes it.
const (
	TeamOff     TeamState = "off"
	TeamJoining TeamState = "joining" // announced activation: the week of "Ik doe mee"
	TeamOn      TeamState = "on"
	TeamResting TeamState = "resting"
	TeamGone    TeamState = "gone" // the channel was removed or archived
)

// Settings is what a manager chooses for a team, within the operator's limits.
type Settings struct {
	Rhythm        RhythmName           `json:"rhythm"`
	Cron          string               `json:"cron,omitempty"` // replaces the opening moment; five fields, no zone
	Window        Length               `json:"window"`         // custom: from opening to closing
	GiveBackAfter Length               `json:"give_back_after"`
	Zone          string               `json:"zone"`
	Lang          prompts.Lang         `json:"lang"`
	MinReplies    int                  `json:"min_replies"`
	QuietHours    string               `json:"quiet_hours"` // "18:00-08:00"; empty: none
	WorkdaysOnly  bool                 `json:"workdays_only"`
	Holidays      []string             `json:"holidays"`
	Audience      []prompts.AudienceID `json:"audience,omitempty"`
	Adviser       string               `json:"adviser"`
	Statement     string               `json:"statement"`
	Purpose       string               `json:"purpose,omitempty"` // what the work is for, in the team's own words
}

// Team is a channel that a manager opted in.
type Team struct {
	ID           TeamID    `json:"id"`
	Name         string    `json:"name"`
	State        TeamState `json:"state"`
	Settings     Settings  `json:"settings"`
	SwitchedOnBy ActorID   `json:"switched_on_by,omitempty"`
	// SwitchedOnName is what people call them; who it is passed on to is named so. Empty: not known.
	SwitchedOnName string    `json:"switched_on_name,omitempty"`
	Managers       []ActorID `json:"managers,omitempty"` // named by a manager in the settings
	Since          time.Time `json:"since"`              // anchor of the rhythm
	Steered        time.Time `json:"steered,omitzero"`   // version of the last act of a manager: what is not newer is a redelivery

	NextDue   time.Time `json:"next_due"`   // unmoved moment of the next opening
	NextOpens time.Time `json:"next_opens"` // the same, moved off quiet days and hours; zero: nothing planned
	SkipNext  bool      `json:"skip_next,omitempty"`
	Paused    time.Time `json:"paused,omitzero"`   // version of the pause that asked for it: the same again is a redelivery
	Skipped   time.Time `json:"skipped,omitzero"`  // when an opening was last left out, or the team began anew: an older pause asked for what came before
	Open      RoundID   `json:"open,omitempty"`    // the question round that now takes replies or waits for its give-back
	Vote      RoundID   `json:"vote,omitempty"`    // the vote that decides how the team goes on; an older one decides nothing
	Follows   []RoundID `json:"follows,omitempty"` // the follow-up questions that take replies or wait for their give-back

	Asked        int       `json:"asked"`  // question rounds in the team's life
	Season       int       `json:"season"` // from 1
	SeasonSince  time.Time `json:"season_since"`
	SeasonRounds int       `json:"season_rounds"`
	Thin         int       `json:"thin,omitempty"` // paused or too-few rounds in a row since the team was last asked what fits
	HalfPace     bool      `json:"half_pace,omitempty"`
	Incident     time.Time `json:"incident,omitzero"`   // last pause "after an incident"
	NoPrompt     bool      `json:"no_prompt,omitempty"` // the library had nothing left at the last opening; shown in status

	Agreements []Agreement `json:"agreements,omitempty"` // oldest first

	Words  []WordNote  `json:"words,omitempty"`  // new words that the team was shown, and what it decided
	Labels []LabelNote `json:"labels,omitempty"` // "something else" that many called by one name: for the editors
}

// steer notes an act of a manager, or gives errSame for one that came before: a redelivery must undo nothing newer.
func (t *Team) steer(at time.Time) error {
	if !at.After(t.Steered) {
		return errSame
	}
	t.Steered = at.UTC()
	return nil
}

// actPost is the outbox row of what the channel hears of the last act of a manager.
func (t Team) actPost(what string) PostID {
	return PostID(fmt.Sprintf("%s/%s/%d", t.ID, what, version(t.Steered)))
}

// pausePost is the outbox row of what the channel hears of a pause.
func (t Team) pausePost() PostID { return PostID(fmt.Sprintf("%s/pause/%d", t.ID, version(t.Paused))) }

// Wake is the moment the agenda must look at the team, or zero.
func (t Team) Wake() time.Time {
	if t.State != TeamOn {
		return time.Time{}
	}
	return t.NextOpens
}

// RoundKind is what a round's box collects: replies to a prompt, or one-tap votes.
type RoundKind string

// The kinds of round. Votes use the same sealed box as replies (TRUST 2.1).
const (
	RoundQuestion RoundKind = "question"
	RoundFollow   RoundKind = "follow-up" // the follow-up question of a give-back: a second box, with words only
	RoundTalk     RoundKind = "talk"      // a question with the talk guide; collects nothing
	RoundJoin     RoundKind = "join"      // announced activation: taking part or rather not
	RoundPace     RoundKind = "pace"      // after two thin rounds: what fits
	RoundSeason   RoundKind = "season"    // go on, change, stop
)

// RoundState is where a round stands. Delivery states belong to the outbox.
type RoundState string

// The states of a round (DESIGN 11). Lapsed, too few and lost are ends without content.
const (
	RoundPlanned   RoundState = "planned"
	RoundOpen      RoundState = "open"
	RoundClosing   RoundState = "closing"
	RoundClosed    RoundState = "closed"
	RoundGivenBack RoundState = "given back"
	RoundTooFew    RoundState = "too few"
	RoundLapsed    RoundState = "lapsed"
	RoundLost      RoundState = "lost"
)

// Round is one prompt asked in one team, with the settings as they were when it opened.
type Round struct {
	ID     RoundID    `json:"id"`
	Team   TeamID     `json:"team"`
	Kind   RoundKind  `json:"kind"`
	Of     RoundID    `json:"of,omitempty"` // a follow-up: the question whose give-back asked it
	State  RoundState `json:"state"`
	Number int        `json:"number"` // in the team's life, from 1; 0 for votes; a follow-up has that of its question
	Season int        `json:"season"`

	Due       time.Time `json:"due"` // unmoved moment; unique per team and kind
	Opens     time.Time `json:"opens"`
	Reminds   time.Time `json:"reminds"` // zero: no reminder (any more)
	Closes    time.Time `json:"closes"`
	GivesBack time.Time `json:"gives_back"`
	Keep      time.Time `json:"keep"`              // when released replies are erased; zero: nothing on the shelf
	Forgets   bool      `json:"forgets,omitempty"` // retention has ended and is being carried out: too late to hold
	Pages     int       `json:"pages,omitempty"`   // how many messages of quotes stand below the give-back
	Held      bool      `json:"held,omitempty"`    // the law asks to keep them longer: Keep does not come
	Counts    time.Time `json:"counts,omitzero"`   // when to look again whether its counts are forgotten; zero: a year after its give-back
	Counted   bool      `json:"counted,omitempty"` // it had content; what it counted is forgotten

	Prompt  prompts.Prompt   `json:"prompt"` // as asked, both languages
	Slot    prompts.Slot     `json:"slot"`
	Reasons []prompts.Reason `json:"reasons,omitempty"`
	Flip    bool             `json:"flip,omitempty"`   // pole b is shown first
	Offers  []Offer          `json:"offers,omitempty"` // the tensions that could be chosen, in their order

	Lang       prompts.Lang         `json:"lang"`
	Zone       string               `json:"zone"`
	Rhythm     RhythmName           `json:"rhythm"`
	MinReplies int                  `json:"min_replies"`
	Adviser    string               `json:"adviser"`
	Audience   []prompts.AudienceID `json:"audience,omitempty"`

	Tally    *Tally    `json:"tally,omitempty"`    // after closing, and only with content
	Followup string    `json:"followup,omitempty"` // the deepening question that was given back
	Second   bool      `json:"second,omitempty"`   // its box must still be opened
	News     []NewWord `json:"news,omitempty"`     // the new words that were given back

	Ends       bool        `json:"ends,omitempty"`       // its give-back ended the season
	Statements []Statement `json:"statements,omitempty"` // what was said at its give-back of what comes back or changed

	Chooses bool      `json:"chooses,omitempty"` // its give-back asked for an agreement
	Asks    time.Time `json:"asks,omitzero"`     // when an agreement must still be asked for
	Owed    []Owed    `json:"owed,omitempty"`    // what waited for a manager's answer at its give-back
	Owes    time.Time `json:"owes,omitzero"`     // when the channel must hear that the answer to what was passed on is late
	About   *About    `json:"about,omitempty"`   // the agreement that it looks back on

	Then     RoundKind `json:"then,omitempty"`     // the vote that must still be opened after this round's give-back
	ThenFrom time.Time `json:"then_from,omitzero"` // not before: after an incident the team is left in peace
}

// Wake is the moment the agenda must look at the round, or zero. What was passed on after it is owed in whatever state it is.
func (r Round) Wake() time.Time { return earliest(r.steps(), r.Owes) }

// keeps is when retention ends, or zero: nothing is kept, or the law asks to keep it.
func (r Round) keeps() time.Time {
	if r.Held {
		return time.Time{}
	}
	return r.Keep
}

// steps is the moment of the round's own next step, or zero.
func (r Round) steps() time.Time {
	switch r.State {
	case RoundOpen:
		if !r.Reminds.IsZero() && r.Reminds.Before(r.Closes) {
			return r.Reminds
		}
		return r.Closes
	case RoundClosing:
		return r.Closes
	case RoundClosed:
		return r.GivesBack
	case RoundGivenBack, RoundTooFew:
		var at time.Time
		switch { // whatever else is to be done, retention ends on its day
		case r.Second:
			at = earliest(r.GivesBack, r.keeps())
		case r.Then != "":
			at = earliest(later(r.GivesBack, r.ThenFrom), r.keeps())
		case !r.Held:
			at = earliest(r.Keep, r.countsUntil())
		}
		return earliest(at, r.Asks)
	default:
		return time.Time{}
	}
}

// Stance is the one-tap answer.
type Stance string

// The six stances (PRACTICE 3.4). A and B are the canonical poles, whatever order they are shown in.
const (
	StanceA       Stance = "a"
	StanceBoth    Stance = "both"
	StanceB       Stance = "b"
	StanceDepends Stance = "depends"
	StanceNotMe   Stance = "not-me"
	StanceCounter Stance = "counter"
)

// Share is what an author lets the bot do with a text; asked every time, nothing preselected.
type Share string

// The share choices. A text "for myself" is not stored and not counted.
const (
	ShareCount  Share = "count"
	ShareQuote  Share = "share"
	ShareMyself Share = "self"
)

// Reply is an answer after closing: no author, no time, no order.
type Reply struct {
	ID     ReplyID
	Text   ReplyText
	Stance Stance
	Tags   []prompts.TensionID
	Other  string // the author's own words for "something else"
}

// Tally is what a closed round adds up to. It never changes afterwards. One from before a field was kept lacks it.
type Tally struct {
	Prompt      prompts.ID                   `json:"prompt,omitempty"`
	Revision    int                          `json:"revision,omitempty"`
	Senses      map[prompts.TensionID]string `json:"senses,omitempty"` // of every tension that could be tagged
	Respondents int                          `json:"respondents"`
	People      int                          `json:"people,omitempty"` // humans in the channel at closing; 0: unknown
	Tagged      int                          `json:"tagged"`           // replies with a tension, other or none
	Tags        map[prompts.TensionID]int    `json:"tags,omitempty"`
	Mirror      map[prompts.TensionID]int    `json:"mirror,omitempty"` // of Tags: suggested by a mirror and confirmed by the author
	Asked       []prompts.TensionID          `json:"asked,omitempty"`
	None        int                          `json:"none,omitempty"`
	Other       int                          `json:"other,omitempty"`
	Unknown     int                          `json:"unknown,omitempty"`
	Stances     map[Stance]int               `json:"stances,omitempty"`
	Choices     map[string]int               `json:"choices,omitempty"`    // votes
	Words       WordTable                    `json:"words,omitzero"`       // of a round with content; nil: none was made
	WordsFrom   int                          `json:"words_from,omitempty"` // replies that hold each of Words; 0: three
}

// Thresholds are the small-number rules in force for a round.
type Thresholds struct {
	Respondents int // nothing of the content is shown below it; default 5, never below 3
	Cell        int // smallest cell of a tension or leaning: 3
	People      int // people in the channel to switch on: 6
}

// AuditEntry is one act of a manager, editor or operator. It never holds reply data.
type AuditEntry struct {
	At   time.Time `json:"at"`
	By   ActorID   `json:"by"`
	Team TeamID    `json:"team,omitempty"`
	What string    `json:"what"` // "on", "off", "settings", "answer", "prompts", …
	How  string    `json:"how,omitempty"`
}

// Watcher is an editor of the library who asked to be told that something waits for review, or asked for it no more.
type Watcher struct {
	By   ActorID      `json:"by"`
	Lang prompts.Lang `json:"lang"`
	On   bool         `json:"on"`
	At   time.Time    `json:"at"` // version: what is not newer is a redelivery
}
