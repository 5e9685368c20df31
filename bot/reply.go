package bot

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// box is an open round with its keys, as handlers need it.
type box struct {
	round Round
	team  string // the channel's display name
	keys  ballotKeys
	zone  *time.Location

	asking  sync.Mutex // for the names
	mu      sync.Mutex
	look    HintOptions // what is looked for in a reply; the names are the channel's
	namesAt time.Time   // when the platform told them
	shown   map[string]glance
}

// seat is a person's place in one box, with what lies there.
type seat struct {
	*box
	at Address
	hand
}

// boxOf returns an open round with its keys. ErrClosed if it takes nothing (any more).
func (b *Bot) boxOf(ctx context.Context, id RoundID) (*box, error) {
	if bx := b.boxes.get(id); bx != nil {
		return bx, nil
	}
	r, err := b.o.Store.Round(ctx, id)
	if err != nil {
		return nil, err
	}
	if r.State != RoundOpen {
		return nil, ErrClosed
	}
	raw, err := b.o.Keys.Open(ctx, ballotSlot(id))
	if err != nil { // not wrapped: a slot that is not found is no round that is not found
		return nil, fmt.Errorf("key slot of an open round: %v", err)
	}
	keys, err := parseBallotSlot(raw)
	if err != nil {
		return nil, err
	}
	t, err := b.o.Store.Team(ctx, r.Team)
	if err != nil {
		return nil, err
	}
	if r.Offers == nil { // opened by an older program
		lib, err := b.library(ctx)
		if err != nil {
			return nil, err
		}
		r.Offers = r.offered(&lib)
	}
	bx := &box{round: r, team: t.Name, keys: keys, zone: zoneOf(r.Zone), shown: map[string]glance{}}
	bx.look = HintOptions{Cases: b.o.CaseNumbers, Name: locale.Text(r.Lang, "hint.mark-name"), Other: locale.Text(r.Lang, "hint.mark-other")}
	b.boxes.put(id, bx)
	if r, err = b.o.Store.Round(ctx, id); err != nil || r.State != RoundOpen { // closed meanwhile: its keys do not stay
		b.boxes.drop(id)
		return nil, cmp.Or(err, ErrClosed)
	}
	return bx, nil
}

// sit reads a person's slip in a box.
func (b *Bot) sit(ctx context.Context, bx *box, u UserID) (*seat, error) {
	s := &seat{box: bx, at: bx.keys.addressOf(u)}
	sealed, err := b.o.Store.Slip(ctx, bx.round.ID, s.at)
	if err != nil {
		return nil, err
	}
	s.hand, err = bx.open(s.at, sealed)
	return s, err
}

func (bx *box) open(a Address, sealed Slip) (h hand, err error) {
	if h.ballot, err = bx.keys.openSlip(bx.round.ID, lidBallot, a, sealed.Ballot); err != nil {
		return hand{}, err
	}
	h.aside, err = bx.keys.openSlip(bx.round.ID, lidAside, a, sealed.Aside)
	return h, err
}

// write changes what a person has in a box, inside the store's transaction, and says whether anything changed. change is
// pure and may run twice: opening and sealing take longer than anything else, so they are done before the transaction,
// and once more inside it only if something else came to lie there meanwhile.
func (b *Bot) write(ctx context.Context, bx *box, a Address, change func(*hand) error) (changed bool, err error) {
	b.names(ctx, bx)
	seen, err := b.o.Store.Slip(ctx, bx.round.ID, a)
	var made Slip
	if err == nil {
		made, err = bx.turn(a, seen, change)
	}
	if err == nil {
		err = b.o.Store.Cast(ctx, bx.round.ID, a, func(old Slip) (Slip, error) {
			if bytes.Equal(old.Ballot, seen.Ballot) && bytes.Equal(old.Aside, seen.Aside) {
				return made, nil
			}
			return bx.turn(a, old, change)
		})
	}
	if errors.Is(err, errSame) {
		return false, nil
	}
	if errors.Is(err, ErrClosed) {
		b.boxes.drop(bx.round.ID)
	}
	return err == nil, err
}

// turn opens what lies at an address, changes it and seals it again.
func (bx *box) turn(a Address, old Slip, change func(*hand) error) (sealed Slip, err error) {
	h, err := bx.open(a, old)
	text, other := h.words()
	was := h.ballot
	withheld := was != nil && was.Hard
	if err == nil {
		err = change(&h)
	}
	if now, label := h.words(); err == nil && h.ballot != nil && (h.ballot != was || now != text || label != other) {
		h.ballot.Hard = bx.hard(now, label) || withheld && len(bx.lookFor().Members) == 0 // perhaps for a name that is not known now
	}
	if err == nil && h.ballot != nil {
		sealed.Ballot, err = bx.keys.sealSlip(bx.round.ID, lidBallot, a, h.ballot)
	}
	if err == nil && h.aside != nil {
		sealed.Aside, err = bx.keys.sealSlip(bx.round.ID, lidAside, a, h.aside)
	}
	return sealed, err
}

// clockSlack is how far a platform's clock may be behind: an event of just before an opening still belongs to it.
const clockSlack = 2 * time.Minute

// seats returns the person's place in every question round that is open in a channel they are in, the one that closes
// first first. A round that opened after the event is none of them: words that come again after their own round closed
// were meant for nobody else.
func (b *Bot) seats(ctx context.Context, f From, only RoundID) ([]*seat, error) {
	channels, err := b.channelsOf(ctx, f.User)
	if err != nil {
		return nil, err
	}
	var all []*seat
	var broken error
	for _, id := range channels {
		t, err := b.o.Store.Team(ctx, id)
		if errors.Is(err, ErrNotFound) || err == nil && (t.Open == "" || only != "" && t.Open != only) {
			continue
		}
		if err != nil {
			return nil, err
		}
		bx, err := b.boxOf(ctx, t.Open)
		var s *seat
		if err == nil {
			s, err = b.sit(ctx, bx, f.User)
		}
		switch {
		case errors.Is(err, ErrClosed):
			b.boxes.drop(t.Open)
		case err == nil && bx.round.Opens.After(f.At.Add(clockSlack)):
		case err != nil: // one box that does not open keeps nobody from the others
			b.o.Log.Error("a box does not open", "round", t.Open, "err", err)
			broken = err
		default:
			all = append(all, s)
		}
	}
	if len(all) == 0 && broken != nil {
		return nil, broken
	}
	slices.SortFunc(all, func(a, b *seat) int {
		return cmp.Or(a.round.Closes.Compare(b.round.Closes), cmp.Compare(a.round.Team, b.round.Team))
	})
	return all, nil
}

// boxFor returns a round's box and the person's address in it, after checking that they are in its channel.
func (b *Bot) boxFor(ctx context.Context, f From, id RoundID) (*box, Address, error) {
	bx, err := b.boxOf(ctx, id)
	if err != nil {
		return nil, Address{}, err
	}
	channels, err := b.channelsOf(ctx, f.User)
	if err != nil {
		return nil, Address{}, err
	}
	if !slices.Contains(channels, bx.round.Team) {
		return nil, Address{}, ErrDenied
	}
	return bx, bx.keys.addressOf(f.User), nil
}

// seatIn returns the person's place in one round, with what lies there.
func (b *Bot) seatIn(ctx context.Context, f From, id RoundID) (*seat, error) {
	bx, _, err := b.boxFor(ctx, f, id)
	if err != nil {
		return nil, err
	}
	return b.sit(ctx, bx, f.User)
}

// ---- the form

// opening is what the State of a reply form holds. Where forms shut by themselves the receipt code is shown before there is
// a reply: it is made of the moment the form was opened and a salt, and both come back with the submission. They tell
// nothing without the round's slot, and only the form's reader sees them.
type opening struct {
	round RoundID
	codes bool // the next two are set
	at    int64
	salt  salt
}

// openingFor is the state of a form that is opened now.
func (b *Bot) openingFor(bx *box, at time.Time) opening {
	o := opening{round: bx.round.ID}
	if b.shuts(bx.round.Team) {
		o.codes, o.at, o.salt = true, version(at), newSalt()
	}
	return o
}

func (o opening) String() string {
	if !o.codes {
		return string(o.round)
	}
	return string(o.round) + "." + strconv.FormatInt(o.at, 36) + "." + hex.EncodeToString(o.salt[:])
}

// parseOpening reads a form's State. What is no opening is a round's ID, which may be unknown.
func parseOpening(state string) opening {
	id, rest, _ := strings.Cut(state, ".")
	moment, hexed, _ := strings.Cut(rest, ".")
	o := opening{round: RoundID(id)}
	at, err := strconv.ParseInt(moment, 36, 64)
	raw, hexErr := hex.DecodeString(hexed)
	if err != nil || hexErr != nil || len(raw) != len(o.salt) || at <= 0 {
		return opening{round: RoundID(state)}
	}
	o.codes, o.at, o.salt = true, at, salt(raw)
	return o
}

// mark gives a form's reply what its receipt code is made of.
func (o opening) mark(reply *slip) {
	reply.CodeAt, reply.Salt = reply.Version, newSalt()
	if o.codes {
		reply.CodeAt, reply.Salt = o.at, o.salt
	}
}

// gave says whether what lies in the box came from this form, so that the same form again is no change.
func (o opening) gave(ballot *slip, at int64) bool {
	if ballot == nil {
		return false
	}
	if o.codes {
		return ballot.CodeAt == o.at && ballot.Salt == o.salt
	}
	return ballot.CodeAt == at
}

// shuts says whether forms are gone once they are sent in, on the platform of a team.
func (b *Bot) shuts(team TeamID) bool {
	s, ok := b.chatOf(team).(Shutter)
	return ok && s.Shuts()
}

// replyForm is the form for one round, with what its author gave before (read back to the author only).
func (b *Bot) replyForm(s *seat, lang prompts.Lang, o opening) *Form {
	r, words := s.round, s.round.Prompt.In(lang)
	say := sayer(lang)
	old := s.ballot
	if old == nil {
		old = &slip{}
	}
	f := &Form{
		Name: "reply", State: o.String(), Lang: lang,
		Title:  say("reply.form-title"),
		Submit: say("reply.form-submit"),
		Intro: []Block{
			{Kind: BlockText, Spans: []Span{{Text: words.Question, Strong: true}}},
			{Kind: BlockNote, Spans: []Span{{Text: say("reply.promise")}}},
		},
		Fields: []Field{{
			Name: "text", Kind: FieldText, Max: MaxReplyRunes,
			Label: say("reply.field-text"), Hint: say("reply.field-text-hint"),
			Value: value(old.text()),
		}},
	}
	if r.Adviser != "" {
		f.Intro = append(f.Intro, Block{Kind: BlockNote, Spans: []Span{{Text: say("round.help-footer", "adviser", r.Adviser)}}})
	}
	if o.codes {
		code := s.keys.receiptOf(s.at, &slip{CodeAt: o.at, Salt: o.salt})
		f.Intro = append(f.Intro, Block{Kind: BlockText, Spans: Rich(locale.Text(lang, "reply.receipt-before"), "code", code,
			"closing", locale.Moment(lang, r.Closes.In(s.zone)))})
	}
	stance := say("reply.field-stance")
	if words.PoleA == "" || words.PoleB == "" {
		stance = say("reply.field-stance-light")
	}
	f.Fields = append(f.Fields,
		Field{Name: "stance", Kind: FieldOne, Label: stance, Hint: say("reply.field-optional"),
			Options: b.stances(r, lang), Value: value(string(old.Stance))},
		Field{Name: "tags", Kind: FieldMany, Label: say("reply.field-tags"), Hint: say("reply.field-optional"),
			Options: r.tagOptions(lang), Value: old.tagValues()},
		Field{Name: "other", Kind: FieldLine, Label: say("reply.field-other"), Max: 60, Value: value(old.Other)},
		Field{Name: "share", Kind: FieldOne, Label: say("reply.field-share"), Hint: say("reply.field-share-hint"),
			Options: shareOptions(lang)}, // asked every time, nothing preselected
	)
	if s.ballot != nil {
		f.Title = say("reply.form-title-change")
		f.Extra = []Action{{Do: "withdraw", Round: r.ID, Label: say("reply.withdraw")}}
	}
	return f
}

func value(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func (s *slip) tagValues() []string {
	var out []string
	for _, t := range s.Tags {
		out = append(out, string(t))
	}
	if s.Other != "" {
		out = append(out, "other")
	}
	if s.Plain != "" {
		out = append(out, s.Plain)
	}
	return out
}

// stances lists the stances a round offers, the poles in the order the round shows them.
func (b *Bot) stances(r Round, lang prompts.Lang) []Option {
	words := r.Prompt.In(lang)
	say := sayer(lang)
	var out []Option
	if words.PoleA != "" && words.PoleB != "" {
		first, second := Option{string(StanceA), words.PoleA}, Option{string(StanceB), words.PoleB}
		if r.Flip {
			first, second = second, first
		}
		out = append(out, first, Option{string(StanceBoth), say("reply.stance-both")}, second,
			Option{string(StanceDepends), say("reply.stance-depends")})
	}
	return append(out, Option{string(StanceNotMe), say("reply.stance-not-me")},
		Option{string(StanceCounter), say("reply.stance-counter")})
}

// tagChoices are the tags that one tap or number gives; "something else" needs words.
func (r Round) tagChoices(lang prompts.Lang) []Option {
	return slices.DeleteFunc(r.tagOptions(lang), func(o Option) bool { return o.Value == "other" })
}

// tagOptions lists the tensions in their one fixed order, then the three other answers.
func (r Round) tagOptions(lang prompts.Lang) []Option {
	say := sayer(lang)
	var out []Option
	for _, t := range r.Offers {
		out = append(out, Option{string(t.ID), t.Label.In(lang)})
	}
	return append(out, Option{"other", say("reply.tag-other")}, Option{"none", say("reply.tag-none")},
		Option{"unknown", say("reply.tag-unknown")})
}

func shareOptions(lang prompts.Lang) []Option {
	say := sayer(lang)
	return []Option{
		{string(ShareCount), say("reply.share-count")},
		{string(ShareQuote), say("reply.share-quote")},
		{string(ShareMyself), say("reply.share-self")},
	}
}

func known(options []Option, v string) bool {
	return slices.ContainsFunc(options, func(o Option) bool { return o.Value == v })
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// submitReply handles the reply form: checks everything at once, stores, then confirms.
func (b *Bot) submitReply(ctx context.Context, e FormSubmitted) (Response, error) {
	say := sayer(e.Lang)
	o := parseOpening(e.State)
	bx, at, err := b.boxFor(ctx, e.From, o.round)
	if err != nil {
		return b.refused(err, e.Lang)
	}
	s := &seat{box: bx, at: at}
	if e.Action == "withdraw" {
		if s, err = b.sit(ctx, bx, e.User); err != nil {
			return b.refused(err, e.Lang)
		}
		return b.withdraw(ctx, s, e.From)
	}
	o.codes = o.codes && b.shuts(bx.round.Team)
	new := &slip{Version: version(e.At)}
	o.mark(new)
	wrong := map[string]string{}

	text := clean(first(e.Values["text"]))
	if err := fits(text); err != nil {
		wrong["text"] = say("reply.too-long", "over", overBy(text), "max", strconv.Itoa(MaxReplyRunes))
	}
	if text != "" {
		new.Parts = []part{{at: new.Version, text: text}}
	}
	if v := first(e.Values["stance"]); v != "" {
		if !known(b.stances(s.round, e.Lang), v) {
			wrong["stance"] = say("reply.pick-again")
		}
		new.Stance = Stance(v)
	}
	s.round.readTags(new, e.Values["tags"], first(e.Values["other"]), e.Lang, wrong)
	new.Share = Share(first(e.Values["share"]))
	switch {
	case new.Share != "" && !known(shareOptions(e.Lang), string(new.Share)):
		wrong["share"] = say("reply.pick-again")
	case text == "" && new.Stance == "" && new.Share != ShareMyself:
		wrong["text"] = say("reply.nothing-yet")
	case text != "" && new.Share == "":
		wrong["share"] = say("reply.share-missing")
	case text == "" && new.Share != ShareMyself:
		new.Share = ShareCount // a reply without text is counted; there is nothing to share
	}
	b.names(ctx, bx)
	if len(wrong) > 0 || e.Action == "strike" {
		var card []Block
		if kinds := FindHeavy(text+"\n"+new.Other, b.o.Heavy); len(kinds) > 0 && bx.glanced(at) { // it stays until something is kept
			card = b.heavyCard(kinds, bx.round.Adviser, e.Lang)
		}
		return b.formAgain(ctx, bx, e, o, wrong, card)
	}
	if new.Share != ShareMyself {
		r, shown, err := b.before(ctx, bx, at, e, o, text, new)
		if err != nil || shown {
			return r, err
		}
	}
	var guess *Evidence
	if new.Plain == plainUnknown && new.Share != ShareMyself {
		if guess = b.mirror(ctx, text, bx.round); guess != nil && b.shuts(bx.round.Team) {
			if s, err = b.sit(ctx, bx, e.User); err != nil {
				return b.refused(err, e.Lang)
			}
			if wrong := b.mirrorForm(s, e, guess, text, new.Version); wrong != nil {
				return b.formAgain(ctx, bx, e, o, wrong, nil)
			}
		}
	}
	shown := bx.mirrored(at)
	s, changed, err := b.writeSeat(ctx, s, func(h *hand) error {
		if new.Share == ShareMyself {
			return h.bury(new.Version)
		}
		mine := *new
		mine.reflected(h.ballot, guess, shown)
		return h.put(&mine)
	})
	if err != nil {
		return b.refused(err, e.Lang)
	}
	if new.Share == ShareMyself {
		return say.kept("reply.for-myself"), nil
	}
	if !changed { // the same form again, or something newer lies there
		if !o.gave(s.ballot, new.Version) {
			return say.message("reply.newer"), nil
		}
	}
	r := b.receipt(s, e.Lang, s.ballot)
	if s.ballot.asked(guess, new.Version) {
		r.Message.Blocks = append(r.Message.Blocks, bx.round.mirrorBlocks(*guess, text, e.Lang)...)
	}
	return r, nil
}

// formAgain shows a form again as it was filled in, with what is wrong or was found, and card above its fields.
func (b *Bot) formAgain(ctx context.Context, bx *box, e FormSubmitted, o opening, wrong map[string]string, card []Block) (Response, error) {
	s, err := b.sit(ctx, bx, e.User)
	if err != nil {
		return b.refused(err, e.Lang)
	}
	form := b.replyForm(s, e.Lang, o)
	found := false
	for i := range form.Fields {
		field := &form.Fields[i]
		field.Value = e.Values[field.Name]
		if field.Name == "text" || field.Name == "other" {
			words := clean(first(field.Value))
			if e.Action == "strike" {
				struck := bx.strike(words, e.Lang)
				if utf8.RuneCountInString(struck) <= field.Max {
					field.Value = value(struck)
					continue
				}
				if wrong[field.Name] == "" { // marks may take more room than what they replace
					wrong[field.Name] = sayer(e.Lang)("hint.no-room")
				}
			}
			found = found || len(bx.hints(words)) > 0
		}
	}
	form.Notice = card
	if found {
		form.Extra = append(form.Extra, Action{Do: "strike", Round: bx.round.ID, Label: sayer(e.Lang)("hint.strike")})
	}
	return Response{Form: form, Errors: wrong}, nil
}

// before looks at a form's words before anything is sealed. shown says that its author must see what was found first.
func (b *Bot) before(ctx context.Context, bx *box, at Address, e FormSubmitted, o opening, text string, reply *slip) (r Response, shown bool, err error) {
	say := sayer(e.Lang)
	heavy := FindHeavy(text+"\n"+reply.Other, b.o.Heavy)
	inText, inOther := bx.hints(text), bx.hints(reply.Other)
	reply.Hard = anyHard(inText) || anyHard(inOther)
	var card []Block
	wrong := map[string]string{}
	if len(heavy) > 0 && bx.firstLook(at, "heavy", kindNames(heavy), reply.Version) {
		card = b.heavyCard(heavy, bx.round.Adviser, e.Lang)
		wrong["share"] = say("heavy.choose")
	}
	if found := hintNames(inText, inOther); len(found) > 0 && bx.firstLook(at, "hints", found, reply.Version) {
		if w := hintWords(text, inText, e.Lang, true); w != "" {
			wrong["text"] = w
		}
		if w := hintWords(reply.Other, inOther, e.Lang, true); w != "" {
			wrong["other"] = w
		}
	}
	if len(wrong) == 0 {
		return Response{}, false, nil
	}
	s, err := b.sit(ctx, bx, e.User)
	if err != nil {
		r, err := b.refused(err, e.Lang)
		return r, true, err
	}
	if o.gave(s.ballot, reply.Version) && (!o.codes || s.ballot.Floor == reply.Version) { // kept already: the same form again
		return Response{}, false, nil
	}
	if card != nil && s.ballot != nil {
		wrong["share"] += " " + say("heavy.earlier")
	}
	if card != nil { // the choice is asked again
		e.Values = maps.Clone(e.Values)
		delete(e.Values, "share")
	}
	r, err = b.formAgain(ctx, bx, e, o, wrong, card)
	return r, true, err
}

// readTags puts the chosen tags into s: tensions and other words together, none and unknown alone.
func (r Round) readTags(s *slip, values []string, other string, lang prompts.Lang, wrong map[string]string) {
	say := sayer(lang)
	other, err := cleanLine(other, maxOther)
	if err != nil {
		wrong["other"] = say("reply.other-too-long")
	}
	s.Other = other
	options := r.tagOptions(lang)
	for _, o := range options { // the fixed order, each once
		if !slices.Contains(values, o.Value) {
			continue
		}
		switch o.Value {
		case "none", "unknown":
			if s.Plain != "" || len(values) > 1 || other != "" {
				wrong["tags"] = say("reply.tag-alone")
			}
			s.Plain = o.Value
		case "other":
			if other == "" {
				wrong["other"] = say("reply.other-missing")
			}
		default:
			s.Tags = append(s.Tags, prompts.TensionID(o.Value))
		}
	}
	for _, v := range values {
		if !known(options, v) {
			wrong["tags"] = say("reply.pick-again")
		}
	}
}

func overBy(text string) string {
	over := utf8.RuneCountInString(text) - MaxReplyRunes
	if over <= 0 {
		over = (len(text) - MaxReplyBytes + 1) / 2 // letters with accents and signs take more room
	}
	return strconv.Itoa(max(over, 1))
}

// receipt is the form's last view.
func (b *Bot) receipt(s *seat, lang prompts.Lang, ballot *slip) Response {
	say := sayer(lang)
	key := "reply.receipt"
	if !ballot.shared() {
		key = "reply.receipt-count"
	}
	m := Message{Lang: lang, Blocks: []Block{
		Heading(say("reply.kept")),
		Text(Rich(say(key), "closing", locale.Moment(lang, s.round.Closes.In(s.zone)), "code", s.keys.receiptOf(s.at, ballot),
			"giveback", locale.Capital(locale.Date(lang, s.round.GivesBack.In(s.zone))))...),
	}}
	if ballot.shared() {
		m.Blocks = append(m.Blocks, Text(Span{Text: say("reply.preview")}), Quote(ballot.text()),
			Note(say("reply.preview-note")), Note(say("reply.receipt-lapses")))
	}
	if ballot.withheld() {
		m.Blocks = append(m.Blocks, Text(Span{Text: say("hint.kept-hard")}))
	}
	return Response{Message: &m, Kept: true}
}

func (b *Bot) withdraw(ctx context.Context, s *seat, f From) (Response, error) {
	say := sayer(f.Lang)
	if !s.taken(version(f.At)) {
		return say.message("reply.nothing-here"), nil
	}
	s, _, err := b.writeSeat(ctx, s, func(h *hand) error { return h.bury(version(f.At)) })
	if err != nil {
		return b.refused(err, f.Lang)
	}
	if s.ballot != nil || s.draft() { // written after this withdrawal, which comes late or again
		return say.message("reply.newer"), nil
	}
	return say.kept("reply.withdrawn"), nil
}

// taken says whether there is something to withdraw, or was for the withdrawal of this very version: it comes again.
func (s *seat) taken(at int64) bool { return s.ballot != nil || s.draft() || s.floor() == at }

// refused turns what stood in a reply's way into words for its author. Nothing was kept, and the text says so.
func (b *Bot) refused(err error, lang prompts.Lang) (Response, error) {
	say := sayer(lang)
	switch {
	case errors.Is(err, ErrClosed), errors.Is(err, ErrNotFound):
		return say.message("reply.late"), nil
	case errors.Is(err, ErrDenied):
		return say.message("reply.not-in-channel"), nil
	case errors.Is(err, errTooLong):
		return say.message("reply.too-long-typed", "max", strconv.Itoa(MaxReplyRunes)), nil
	case errors.Is(err, errNothing):
		return say.message("reply.nothing-here"), nil
	case errors.Is(err, errTagAlone):
		return say.message("reply.tag-alone"), nil
	case errors.Is(err, errTooMany):
		return say.message("reply.too-many-parts", "max", strconv.Itoa(maxParts)), nil
	}
	return say.message("reply.not-kept"), err
}

// ---- typed messages

// typed handles a direct message that is no command.
func (b *Bot) typed(ctx context.Context, e DirectReply, text string) (Response, error) {
	say := sayer(e.Lang)
	seats, err := b.seats(ctx, e.From, e.Round)
	if err != nil {
		return b.refused(err, e.Lang)
	}
	if len(seats) == 0 {
		return b.noRound(ctx, e.From)
	}
	id, at := markOf(e.Message), version(e.At)
	if s := seatOf(seats, id); s != nil {
		return b.editPart(ctx, s, e, text, id)
	}
	if text == "" {
		return say.message("reply.no-words"), nil
	}
	target, unknown := seats[0], len(seats) > 1
	if waiting := slices.IndexFunc(seats, (*seat).draft); waiting >= 0 {
		target, unknown = seats[waiting], false
	}
	b.names(ctx, target.box)
	if word := strings.ToLower(strings.Trim(text, " .")); !target.draft() && shareWord(word) != "" && target.glanced(target.at) {
		return say.message("heavy.typed", "platform", platformName(e.Lang, target.round.Team)), nil // a choice for what was not kept
	}
	if card, ok := b.heavyTyped(target, e.From, text); ok {
		return card, nil
	}
	_, err = b.write(ctx, target.box, target.at, func(h *hand) error { return h.write(part{message: id, at: at, text: text}, unknown) })
	if err != nil {
		return b.refused(err, e.Lang)
	}
	return b.whereNow(ctx, target, e.From)
}

// seatOf is the place where a typed message is known, nil if it is new. An answer to a question leaves its mark in every
// box: then it is the place where something lies.
func seatOf(seats []*seat, id mark) (found *seat) {
	best := 0
	for _, s := range seats {
		rank := 0
		switch {
		case !s.knows(id):
		case s.ballot.has(id) || s.aside.has(id):
			rank = 4
		case s.draft():
			rank = 3
		case s.ballot != nil:
			rank = 2
		default:
			rank = 1
		}
		if rank > best {
			found, best = s, rank
		}
	}
	return found
}

// whereNow asks what is open for a person in a round, or says what lies there; a redelivery gets the same answer again.
func (b *Bot) whereNow(ctx context.Context, s *seat, f From) (Response, error) {
	s, err := b.sit(ctx, s.box, f.User)
	if err != nil {
		return b.refused(err, f.Lang)
	}
	return b.where(ctx, s, f)
}

// where is whereNow for a seat whose hand was just read or written.
func (b *Bot) where(ctx context.Context, s *seat, f From) (Response, error) {
	switch {
	case s.draft() && s.aside.Wait == awaitRound:
		seats, err := b.seats(ctx, f, "")
		if err != nil {
			return b.refused(err, f.Lang)
		}
		return b.askRound(seats, f.Lang, "round", "reply.which-round"), nil
	case s.draft() && s.aside.Wait == awaitMerge:
		return b.askMerge(s, f.Lang), nil
	case s.draft():
		return b.askShare(s, f.Lang), nil
	case s.ballot != nil:
		return b.keptTyped(s, f.Lang), nil
	}
	return sayer(f.Lang).message("reply.for-myself"), nil
}

// editPart handles an edited or redelivered message that is part of a reply already.
func (b *Bot) editPart(ctx context.Context, s *seat, e DirectReply, text string, id mark) (Response, error) {
	if text == "" {
		return b.removePart(ctx, s, e.From, id)
	}
	b.names(ctx, s.box)
	if p := cmp.Or(s.ballot.part(id), s.aside.part(id)); p != nil && !p.gone && p.text != text && p.at < version(e.At) {
		if card, ok := b.heavyTyped(s, e.From, text); ok {
			return card, nil
		}
	}
	s, _, err := b.writeSeat(ctx, s, func(h *hand) error { return h.edit(id, text, version(e.At)) })
	if err != nil {
		return b.refused(err, e.Lang)
	}
	if p := s.ballot.part(id); e.Edited && p != nil && !p.gone && p.at == version(e.At) { // also if it comes again
		r := sayer(e.Lang).message("reply.edited")
		if s.ballot.withheld() {
			r.Message.Blocks = append(r.Message.Blocks, Text(Span{Text: sayer(e.Lang)("hint.kept-hard")}))
		}
		return r, nil
	}
	return b.where(ctx, s, e.From) // a draft's question still stands
}

// removePart takes a deleted message out of a draft or a reply.
func (b *Bot) removePart(ctx context.Context, s *seat, f From, id mark) (Response, error) {
	changed, err := b.write(ctx, s.box, s.at, func(h *hand) error { return h.remove(id, version(f.At)) })
	if err != nil {
		return b.refused(err, f.Lang)
	}
	if !changed { // it was an answer to a question of the bot, or is gone already
		return Response{}, nil
	}
	return sayer(f.Lang).message("reply.part-removed"), nil
}

// deleted handles the deletion of a typed message. One we never saw leaves a mark in every box: a deletion may come
// before what it deletes.
func (b *Bot) deleted(ctx context.Context, e ReplyWithdrawn) (Response, error) {
	seats, err := b.seats(ctx, e.From, "")
	if err != nil {
		return Response{}, err
	}
	id := markOf(e.Message)
	if s := seatOf(seats, id); s != nil {
		return b.removePart(ctx, s, e.From, id)
	}
	for _, s := range seats {
		_, err := b.write(ctx, s.box, s.at, func(h *hand) error { return h.remove(id, version(e.At)) })
		if err != nil && !errors.Is(err, ErrClosed) {
			return Response{}, err
		}
	}
	return Response{}, nil
}

// askRound asks which of several open rounds is meant; do is the verb of its buttons.
func (b *Bot) askRound(seats []*seat, lang prompts.Lang, do, key string) Response {
	m := Message{Lang: lang, Blocks: []Block{Text(Rich(locale.Text(lang, key))...)}}
	var actions []Action
	var list []Span
	for i, s := range seats {
		n, name := strconv.Itoa(i+1), s.name(lang)
		typed := n // waited for: a draft lies there
		if word := sayer(lang).wordOf(do); word != "" {
			typed = word + " " + n
		}
		actions = append(actions, Action{Do: do, Round: s.round.ID, Label: name, Typed: typed})
		list = append(list, Span{Text: name})
	}
	m.Blocks = append(m.Blocks, Block{Kind: BlockList, Spans: list}, Block{Kind: BlockActions, Actions: actions})
	return Response{Message: &m}
}

// wordOf is what to type for what a button about one's own answer does; empty: its number alone.
func (say speech) wordOf(do string) string {
	switch do {
	case "withdraw":
		return say("reply.withdraw-word")
	case "answer":
		return say("reply.change-word")
	case "receipt":
		return say("reply.code-word")
	}
	return ""
}

// name tells a person's open rounds apart.
func (bx *box) name(lang prompts.Lang) string {
	title := bx.round.Prompt.In(lang).Title
	if bx.team == "" {
		return title
	}
	return bx.team + ": " + title
}

// askShare asks what may be done with a typed reply. It is not kept as a reply before that.
func (b *Bot) askShare(s *seat, lang prompts.Lang) Response {
	say := sayer(lang)
	m := Message{Lang: lang, Blocks: []Block{
		Note(say("reply.read-as", "round", s.name(lang))),
		Text(Rich(locale.Text(lang, "reply.typed"), "platform", platformName(lang, s.round.Team))...),
	}}
	text := s.aside.text()
	if hints := s.hints(text); len(hints) > 0 {
		m.Blocks = append(m.Blocks, Text(Span{Text: hintWords(text, hints, lang, false)}), Block{Kind: BlockActions, Actions: []Action{
			{Do: "strike", Round: s.round.ID, Label: say("hint.strike"), Typed: say("hint.strike-word")},
		}}, Note(say("hint.typed-words")))
	}
	m.Blocks = append(m.Blocks,
		Block{Kind: BlockActions, Actions: []Action{
			{Do: "share", Round: s.round.ID, Arg: string(ShareCount), Label: say("reply.share-count"), Typed: "1"},
			{Do: "share", Round: s.round.ID, Arg: string(ShareQuote), Label: say("reply.share-quote"), Typed: "2"},
			{Do: "share", Round: s.round.ID, Arg: string(ShareMyself), Label: say("reply.share-self"), Typed: "3"},
		}},
		Note(say("reply.typed-words")))
	return Response{Message: &m}
}

// strike takes out of a typed draft what may lead to a person, and asks again.
func (b *Bot) strike(ctx context.Context, s *seat, f From) (Response, error) {
	b.names(ctx, s.box)
	s, _, err := b.writeSeat(ctx, s, func(h *hand) error {
		return h.rewrite(version(f.At), func(text string) string { return s.box.strike(text, f.Lang) })
	})
	if err != nil {
		return b.refused(err, f.Lang)
	}
	r, err := b.where(ctx, s, f)
	if err == nil && s.draft() && r.Message != nil {
		r.Message.Blocks = append([]Block{Text(Span{Text: sayer(f.Lang)("hint.struck")})}, r.Message.Blocks...)
	}
	return r, err
}

func (b *Bot) askMerge(s *seat, lang prompts.Lang) Response {
	say := sayer(lang)
	m := Message{Lang: lang, Blocks: []Block{
		Text(Rich(locale.Text(lang, "reply.merge"))...),
		{Kind: BlockActions, Actions: []Action{
			{Do: "merge", Round: s.round.ID, Arg: "add", Label: say("reply.merge-add"), Typed: say("reply.merge-add-word")},
			{Do: "merge", Round: s.round.ID, Arg: "replace", Label: say("reply.merge-replace"), Typed: say("reply.merge-replace-word")},
		}},
	}}
	return Response{Message: &m}
}

// keptTyped confirms a typed reply and asks what it was about. The code is shown on request only: in a conversation it
// would stand beside the name (TRUST 2.5).
func (b *Bot) keptTyped(s *seat, lang prompts.Lang) Response {
	say := sayer(lang)
	m := Message{Lang: lang, Blocks: []Block{
		Text(Rich(locale.Text(lang, "reply.kept-typed"), "closing", locale.Moment(lang, s.round.Closes.In(s.zone)),
			"giveback", locale.Capital(locale.Date(lang, s.round.GivesBack.In(s.zone))))...),
	}}
	if s.ballot.withheld() {
		m.Blocks = append(m.Blocks, Text(Span{Text: say("hint.kept-hard")}))
	}
	if s.ballot.Wait == awaitTags {
		var actions []Action
		for i, o := range s.round.tagChoices(lang) {
			n := strconv.Itoa(i + 1)
			actions = append(actions, Action{Do: "tag", Round: s.round.ID, Arg: o.Value, Label: n + ". " + o.Label, Typed: n})
		}
		m.Blocks = append(m.Blocks, Text(Span{Text: say("reply.tags-ask")}), Block{Kind: BlockActions, Actions: actions}, Note(say("reply.tags-words")))
	}
	m.Blocks = append(m.Blocks, Block{Kind: BlockActions, Actions: []Action{
		{Do: "answer", Round: s.round.ID, Label: say("reply.change"), Typed: say("reply.change-word")},
		{Do: "withdraw", Round: s.round.ID, Label: say("reply.withdraw"), Typed: say("reply.withdraw-word")},
		{Do: "receipt", Round: s.round.ID, Label: say("reply.receipt-ask"), Typed: say("reply.code-word")},
	}})
	return Response{Message: &m}
}

// chooseRound moves a draft that waited for its round to the round its author picked.
func (b *Bot) chooseRound(ctx context.Context, f From, id RoundID) (Response, error) {
	seats, err := b.seats(ctx, f, "")
	if err != nil {
		return b.refused(err, f.Lang)
	}
	from := slices.IndexFunc(seats, func(s *seat) bool { return s.draft() && s.aside.Wait == awaitRound })
	to := slices.IndexFunc(seats, func(s *seat) bool { return s.round.ID == id })
	if to < 0 {
		return b.refused(ErrClosed, f.Lang)
	}
	target, at := seats[to], version(f.At)
	if from < 0 { // chosen already
		return b.whereNow(ctx, target, f)
	}
	if at < seats[from].aside.Version { // pressed before the last words came
		return b.whereNow(ctx, seats[from], f)
	}
	source := seats[from]
	if source == target {
		if _, err := b.write(ctx, target.box, target.at, func(h *hand) error { return h.here(at) }); err != nil {
			return b.refused(err, f.Lang)
		}
		return b.whereNow(ctx, target, f)
	}
	// First into its round, then out of the other: a crash between leaves a second draft, which counts nowhere.
	if _, err := b.write(ctx, target.box, target.at, func(h *hand) error { return h.receive(source.aside, at) }); err != nil {
		return b.refused(err, f.Lang)
	}
	_, err = b.write(ctx, source.box, source.at, func(h *hand) error { return h.release(source.aside) })
	if err != nil && !errors.Is(err, ErrClosed) {
		return b.refused(err, f.Lang)
	}
	return b.whereNow(ctx, target, f)
}

// merge joins a draft to the reply that is there, or lets it take its place.
func (b *Bot) merge(ctx context.Context, s *seat, f From, how string) (Response, error) {
	if _, err := b.write(ctx, s.box, s.at, func(h *hand) error { return h.merge(how == "add", version(f.At)) }); err != nil {
		return b.refused(err, f.Lang)
	}
	return b.whereNow(ctx, s, f)
}

// share makes a waiting draft a reply, with what its author lets be done with it.
func (b *Bot) share(ctx context.Context, s *seat, f From, choice Share, word mark) (Response, error) {
	if !known(shareOptions(f.Lang), string(choice)) {
		return sayer(f.Lang).message("reply.pick-again"), nil
	}
	return b.writeAndTell(ctx, s, f, func(h *hand) error { return h.share(choice, word, version(f.At)) })
}

// writeAndTell writes what may become a reply, and tells what lies there now.
func (b *Bot) writeAndTell(ctx context.Context, s *seat, f From, change func(*hand) error) (Response, error) {
	now, _, err := b.writeSeat(ctx, s, change)
	if err != nil {
		return b.refused(err, f.Lang)
	}
	return b.where(ctx, now, f)
}

// writeSeat is write, and returns what lies there now. That is not read again: the round may have closed meanwhile, and a
// reply that is in the box must not be called refused.
func (b *Bot) writeSeat(ctx context.Context, s *seat, change func(*hand) error) (now *seat, changed bool, err error) {
	now = &seat{box: s.box, at: s.at}
	changed, err = b.write(ctx, s.box, s.at, func(h *hand) error {
		err := change(h)
		now.hand = *h
		return err
	})
	return now, changed, err
}

// tag adds what a typed reply was about. After typed tags, what is typed next is a reply again.
func (b *Bot) tag(ctx context.Context, s *seat, f From, values []string, other string, typed bool) (Response, error) {
	say := sayer(f.Lang)
	add := &slip{}
	wrong := map[string]string{}
	s.round.readTags(add, values, other, f.Lang, wrong)
	switch {
	case wrong["tags"] != "":
		return b.refused(errTagAlone, f.Lang)
	case wrong["other"] != "":
		return say.message("reply.other-too-long"), nil
	}
	if add.Other != "" {
		b.names(ctx, s.box)
		if card, ok := b.heavyTyped(s, f, add.Other); ok {
			return card, nil
		}
	}
	var now *slip
	var guess *Evidence
	var text string
	if add.Plain == plainUnknown && s.ballot != nil {
		text = s.ballot.text()
		guess = b.mirror(ctx, text, s.round)
	}
	_, err := b.write(ctx, s.box, s.at, func(h *hand) error {
		err := h.tag(add.Tags, add.Plain, add.Other, version(f.At))
		if errors.Is(err, errSame) && version(f.At) >= h.ballot.Version { // they are there already
			if now = h.ballot; typed && h.ballot.Wait != "" {
				err = nil
			}
		}
		if err != nil {
			return err
		}
		slices.SortFunc(h.ballot.Tags, func(x, y prompts.TensionID) int { return cmp.Compare(s.round.order(x), s.round.order(y)) })
		if typed {
			h.ballot.Wait = ""
		}
		if guess != nil && h.ballot.Guess == "" && h.ballot.text() == text {
			h.ballot.Guess, h.ballot.GuessAt, h.ballot.Wait = guess.Tension, version(f.At), awaitMirror
		}
		now = h.ballot
		return nil
	})
	if err != nil {
		return b.refused(err, f.Lang)
	}
	if now == nil || !now.tagged() { // older than what is there
		return b.whereNow(ctx, s, f)
	}
	r := s.round.noted(now, f.Lang)
	if now.asked(guess, version(f.At)) {
		r.Message.Blocks = append(r.Message.Blocks, s.round.mirrorBlocks(*guess, text, f.Lang)...)
	}
	if add.Other != "" && now.withheld() {
		r.Message.Blocks = append(r.Message.Blocks, Text(Span{Text: say("hint.kept-hard")}))
	}
	return r, nil
}

// noted says what a person's reply was about.
func (s *seat) noted(lang prompts.Lang) Response { return s.round.noted(s.ballot, lang) }

func (r Round) noted(s *slip, lang prompts.Lang) Response {
	var labels []string
	for _, o := range r.tagOptions(lang) {
		if slices.Contains(s.tagValues(), o.Value) {
			label := o.Label
			if o.Value == "other" {
				label = s.Other
			}
			labels = append(labels, label)
		}
	}
	return sayer(lang).message("reply.tagged", "tags", strings.Join(labels, ", "))
}

// notedAlready answers typed tags that come again as it did the first time.
func (s *seat) notedAlready(text string) bool {
	if s.draft() || s.ballot == nil || s.ballot.Wait != "" {
		return false
	}
	values, other := s.round.tagWords(strings.ToLower(strings.Trim(text, " .")), text)
	for _, v := range values {
		if v == "other" && s.ballot.Other != other || v != "other" && !slices.Contains(s.ballot.tagValues(), v) {
			return false
		}
	}
	return len(values) > 0
}

// stance sets the one-tap answer, alone or beside a text.
func (b *Bot) stance(ctx context.Context, s *seat, f From, v Stance) (Response, error) {
	return b.writeAndTell(ctx, s, f, func(h *hand) error { return h.stand(v, version(f.At)) })
}

// showReceipt shows the code of a typed reply to its author.
func (b *Bot) showReceipt(s *seat, lang prompts.Lang) Response {
	say := sayer(lang)
	if s.ballot == nil {
		return say.message("reply.nothing-here")
	}
	if !s.ballot.shared() {
		return say.message("reply.receipt-none")
	}
	return say.message("reply.receipt-typed", "platform", platformName(lang, s.round.Team), "code", s.keys.receiptOf(s.at, s.ballot))
}

// noRound answers words that no open round waits for.
func (b *Bot) noRound(ctx context.Context, f From) (Response, error) {
	say := sayer(f.Lang)
	channels, err := b.channelsOf(ctx, f.User)
	if err != nil {
		return say.message("reply.not-kept"), err
	}
	var next time.Time
	var zone string
	for _, id := range channels {
		t, err := b.o.Store.Team(ctx, id)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return say.message("reply.not-kept"), err
		}
		if t.Open != "" {
			return say.message("reply.late"), nil
		}
		w := t.Wake()
		if t.SkipNext && !w.IsZero() {
			w = b.afterNext(t)
		}
		if !w.IsZero() && (next.IsZero() || w.Before(next)) {
			next, zone = w, t.Settings.Zone
		}
	}
	if next.IsZero() {
		return say.message("reply.no-round"), nil
	}
	return say.message("reply.no-round-until", "moment", locale.Moment(f.Lang, next.In(zoneOf(zone)))), nil
}

// remove takes a released reply away by its receipt code, quote included. Wrong, early, unknown and used codes get one
// answer, after the same look at the store, and leave nothing behind (TRUST 2.5, A18). That it is gone stands in a key slot
// first: an older backup would bring it back.
func (b *Bot) remove(ctx context.Context, f From, code string) (Response, error) {
	say, receipt := sayer(f.Lang), receiptHash(code)
	err := b.takeAway(ctx, receipt, f.At)
	switch {
	case errors.Is(err, ErrNotFound):
		return say.message("reply.code-unknown"), nil
	case errors.Is(err, errHeld):
		return say.message("reply.code-held"), nil
	case err != nil:
		return say.message("reply.code-later"), err
	}
	return say.message("reply.removed"), nil
}
