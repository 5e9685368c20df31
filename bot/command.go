package bot

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// verbs maps what people type, in either language, to what is meant. A direct message is a command only if the whole
// message is one.
var verbs = map[string]string{
	"on": "on", "aan": "on", "off": "off", "uit": "off", "status": "status", "help": "help", "hulp": "help",
	"next": "next", "volgende": "next", "pause": "pause", "pauze": "pause", "skip": "pause", "overslaan": "pause",
	"why": "why", "waarom": "why", "season": "season", "seizoen": "season", "me": "me", "mij": "me",
	"propose": "propose", "voorstel": "propose",
	"settings": "settings", "instellingen": "settings", "library": "library", "bibliotheek": "library",
	"withdraw": "withdraw", "trek in": "withdraw", "intrekken": "withdraw", "change": "change", "wijzig": "change",
	"answer": "change", "antwoord": "change", "remove": "remove", "verwijder": "remove",
	"code": "receipt", "receipt": "receipt",
	"it is there": "there", "staat er": "there", "not there": "not-there", "staat er niet": "not-there",
}

// numbered are the words about one's own answer in an open round that a number may follow: with several rounds, that in
// the bot's list. Not "antwoord": an answer may begin with it.
var numbered = []string{"withdraw", "trek in", "intrekken", "change", "wijzig", "code"}

// incident are the words after "pause" that say why.
var incident = []string{"na een incident", "na incident", "after an incident", "after incident", "incident"}

// parseCommand reads a command. explicit says that the bot was called by its name; ok is false for anything else. Words
// after a verb are taken only where they can be nothing else, so that "pauze houden we samen" stays a reply.
func parseCommand(text string) (verb, rest string, explicit, ok bool) {
	words := strings.Fields(strings.ToLower(strings.Trim(text, " .!/\n")))
	if len(words) > 0 && (words[0] == "weerklank" || words[0] == "@weerklank") {
		words, explicit = words[1:], true
	}
	if v, ok := verbs[strings.Join(words, " ")]; ok {
		return v, "", explicit, true
	}
	if v := agreementVerb(text); v != "" {
		return v, "", explicit, true
	}
	if len(words) < 2 {
		return "", "", explicit, false
	}
	if w, n := strings.Join(words[:len(words)-1], " "), words[len(words)-1]; slices.Contains(numbered, w) && len(n) == 1 && n >= "1" && n <= "9" {
		return verbs[w], n, explicit, true
	}
	verb, rest = verbs[words[0]], strings.Join(words[1:], " ")
	if words[0] == "woord" || words[0] == "word" {
		if _, _, _, ok := parseWord(rest); ok {
			return "word", rest, explicit, true
		}
	}
	switch _, desk := parseDesk(rest); {
	case verb == "pause" && slices.Contains(incident, rest), verb == "remove" && looksLikeCode(rest), verb == "library" && desk:
		return verb, rest, explicit, true
	}
	return "", "", explicit, false
}

// Reach says whom a command's answer may reach, for a platform that cannot be certain who gives it.
type Reach int

// What a command does. The zero Reach is that of `help`, and of words that are no command.
const (
	ReachAll  Reach = iota // tells what anybody may know
	ReachTeam              // tells what the channel may know, who manages it included; a form goes to who gives it in any case
	ReachOwn               // tells something about who gives it
	ReachAct               // changes something at once
)

// ReachOf reads a command and says its reach.
func ReachOf(text string) Reach {
	verb, rest, _, ok := parseCommand(text)
	if !ok {
		return ReachAll
	}
	switch verb {
	case "help":
		return ReachAll
	case "on", "settings", "status", "next", "why", "season":
		return ReachTeam
	case "library":
		if c, _ := parseDesk(rest); !c.acts() { // drafts are for editors, and for the one who asks
			return ReachOwn
		}
	case "me", "change", "receipt", "propose":
		return ReachOwn
	case "remove":
		if rest == "" {
			return ReachOwn
		}
	}
	return ReachAct
}

// direct handles a typed direct message: an answer to something the bot asked, a command, or words of a reply.
func (b *Bot) direct(ctx context.Context, e DirectReply) (Response, error) {
	text := clean(string(e.Text))
	if len(e.Text) > 16*MaxReplyBytes {
		return b.refused(errTooLong, e.Lang)
	}
	if forced, ok := strings.CutPrefix(text, ">"); ok { // "> help" is a reply, not a command
		return b.typed(ctx, e, strings.TrimSpace(forced))
	}
	if r, ok, err := b.filled(ctx, e.From, text); ok {
		return r, err
	}
	if r, ok, err := b.agreementWords(ctx, e.From, text); ok {
		return r, err
	}
	if len(text) < 200 && !e.Edited {
		seats, err := b.seats(ctx, e.From, "")
		if err != nil {
			return b.refused(err, e.Lang)
		}
		id := markOf(e.Message)
		if i := slices.IndexFunc(seats, func(s *seat) bool { return s.knows(id) }); i >= 0 { // it came before, whatever it was
			if i := slices.IndexFunc(seats, func(s *seat) bool { return s.notedAlready(text) }); i >= 0 {
				return seats[i].noted(e.Lang), nil
			}
			if yes, ok := mirrorWord(strings.ToLower(strings.Trim(text, " ."))); ok {
				for _, s := range seats {
					if r, ok := b.mirrorAnswered(s, yes, e.Lang); ok && !s.draft() {
						return r, nil
					}
				}
			}
			return b.typed(ctx, e, text)
		}
		r, ok, err := b.answerWord(ctx, e.From, e.Round, text, id)
		if ok && err == nil { // an answer leaves a mark in every box, so that a copy of it answers nothing else
			for _, s := range seats {
				_, err := b.write(ctx, s.box, s.at, func(h *hand) error { return h.remove(id, version(e.At)) })
				if err != nil && !errors.Is(err, ErrClosed) {
					return b.refused(err, e.Lang)
				}
			}
		}
		if ok || err != nil {
			return r, err
		}
		// Beside a follow-up alone a vote's word is a vote: it says which choice was kept, and a word is no answer to a question like that.
		asked := slices.ContainsFunc(seats, func(s *seat) bool { return s.round.Kind == RoundQuestion || s.draft() })
		if r, ok, err := b.voteWord(ctx, e.From, text, !asked); ok || err != nil {
			return r, err
		}
		if verb, rest, explicit, ok := parseCommand(text); ok && agreementVerb(text) == "" && (verb != "library" || rest == "" || b.MayEdit(e.User.Actor())) &&
			(verb != "word" || explicit || b.knowsWord(ctx, e.From, rest)) {
			if (verb == "pause" || verb == "off") && !explicit { // the whole channel would see it, and it may be an answer
				if seats, err := b.seats(ctx, e.From, e.Round); err == nil && len(seats) > 0 {
					return sayer(e.Lang).message("cmd.or-reply", "word", text), nil
				}
			}
			return b.command(ctx, e.From, text)
		}
	}
	return b.typed(ctx, e, text)
}

// answerWord reads a short message as the answer to the question that stands open for its author, if there is one.
func (b *Bot) answerWord(ctx context.Context, f From, only RoundID, text string, id mark) (r Response, ok bool, err error) {
	word := strings.ToLower(strings.Trim(text, " ."))
	seats, err := b.seats(ctx, f, only)
	if err != nil || len(seats) == 0 {
		if err != nil {
			r, err = b.refused(err, f.Lang)
		}
		return r, err != nil, err
	}
	i := slices.IndexFunc(seats, (*seat).draft)
	if i >= 0 {
		s := seats[i]
		switch s.aside.Wait {
		case awaitRound:
			if n, err := strconv.Atoi(word); err == nil && n >= 1 && n <= len(seats) {
				r, err := b.chooseRound(ctx, f, seats[n-1].round.ID)
				return r, true, err
			}
		case awaitMerge:
			if how := mergeWord(word); how != "" {
				r, err := b.merge(ctx, s, f, how)
				return r, true, err
			}
		case awaitShare:
			if word == sayer(prompts.Dutch)("hint.strike-word") || word == sayer(prompts.English)("hint.strike-word") {
				r, err := b.strike(ctx, s, f)
				return r, true, err
			}
			if choice := shareWord(word); choice != "" {
				r, err := b.share(ctx, s, f, choice, id)
				return r, true, err
			}
		}
	}
	if i < 0 {
		i = slices.IndexFunc(seats, func(s *seat) bool { return s.ballot != nil && s.ballot.Wait == awaitMirror })
		if yes, ok := mirrorWord(word); ok && i >= 0 {
			r, err := b.answerMirror(ctx, seats[i], f, yes)
			return r, true, err
		}
		if i < 0 {
			i = slices.IndexFunc(seats, func(s *seat) bool { return s.ballot != nil && s.ballot.Wait == awaitTags })
		}
		if i >= 0 {
			if values, other := seats[i].round.tagWords(word, text); values != nil {
				r, err := b.tag(ctx, seats[i], f, values, other, true)
				return r, true, err
			}
		}
	}
	if v := b.stanceWord(seats[max(i, 0)].round, word); v != "" && (len(seats) == 1 || i >= 0) {
		r, err := b.stance(ctx, seats[max(i, 0)], f, v)
		return r, true, err
	}
	return Response{}, false, nil
}

func shareWord(word string) Share {
	switch word {
	case "1", "tel mee", "meetellen", "count", "count me", "1 tel mee", "1 count":
		return ShareCount
	case "2", "citeer", "deel", "delen", "quote", "share", "2 citeer", "2 quote":
		return ShareQuote
	case "3", "voor mezelf", "for me", "for myself", "3 voor mezelf", "3 for me":
		return ShareMyself
	}
	return ""
}

func mergeWord(word string) string {
	switch word {
	case "erbij", "add":
		return "add"
	case "vervangen", "vervang", "replace":
		return "replace"
	}
	return ""
}

// tagWords reads numbers, the name of a tension, or "something else:" with the author's own words; nil if the message is
// something else. text is the message as it was typed, word the same in lower case.
func (r Round) tagWords(word, text string) (values []string, other string) {
	for _, lang := range prompts.Langs() {
		for _, o := range r.tagOptions(lang) {
			if word == strings.ToLower(o.Label) {
				return []string{o.Value}, ""
			}
		}
		start := sayer(lang)("reply.tag-other-word") + ":"
		if len(text) > len(start) && strings.EqualFold(text[:len(start)], start) {
			return []string{"other"}, strings.TrimSpace(text[len(start):])
		}
	}
	options := r.tagChoices(prompts.Dutch)
	for field := range strings.FieldsFuncSeq(word, func(r rune) bool { return r == ' ' || r == ',' || r == ';' }) {
		n, err := strconv.Atoi(field)
		if err != nil || n < 1 || n > len(options) {
			return nil, ""
		}
		values = append(values, options[n-1].Value)
	}
	return values, ""
}

// stanceWord reads the whole message as a stance.
func (b *Bot) stanceWord(r Round, word string) Stance {
	for _, lang := range prompts.Langs() {
		for _, o := range b.stances(r, lang) {
			if word == strings.ToLower(strings.Trim(o.Label, ".")) {
				return Stance(o.Value)
			}
		}
	}
	return ""
}

// command handles a command, from a channel or a direct conversation.
func (b *Bot) command(ctx context.Context, f From, text string) (Response, error) {
	say := sayer(f.Lang)
	verb, rest, _, ok := parseCommand(text)
	if strings.TrimSpace(text) == "" {
		verb, ok = "help", true
	}
	if !ok {
		r, err := b.help(ctx, f)
		if r.Message != nil {
			r.Message.Blocks = append([]Block{Text(Rich(say("cmd.unknown"))...)}, r.Message.Blocks...)
		}
		return r, err
	}
	switch verb {
	case "help":
		return b.help(ctx, f)
	case "me":
		return b.me(ctx, f)
	case "propose":
		return b.askProposal(ctx, f)
	case "library":
		return b.desk(ctx, f, text)
	case "remove":
		if rest == "" {
			return Response{Form: removeForm(f.Lang)}, nil
		}
		return b.remove(ctx, f, rest)
	case "withdraw", "change", "receipt":
		return b.ownAnswer(ctx, f, verb, rest)
	case "there", "not-there":
		return b.resolveTyped(ctx, f, verb == "there")
	case "agreement", "passed":
		r, _, err := b.agreementTyped(ctx, f, verb, text)
		return r, err
	}
	t, r, err := b.teamFor(ctx, f, verb)
	if err != nil {
		return say.message("common.later"), err
	}
	if r.Message != nil {
		return r, nil
	}
	switch verb {
	case "on":
		return b.askOn(ctx, f, t)
	case "off":
		return b.switchOff(ctx, f, t)
	case "settings":
		return b.askSettings(ctx, f, t)
	case "pause":
		return b.pause(ctx, f, t, rest != "")
	case "status":
		return b.status(ctx, f, t)
	case "next":
		return b.next(f, t), nil
	case "why":
		return b.why(ctx, f, t)
	case "season":
		return b.season(ctx, f, t)
	case "word":
		return b.wordTyped(ctx, f, t, rest)
	}
	return b.help(ctx, f)
}

// teamFor finds the team a command is about: the channel it was given in, or the only team its author is in. For `on`
// the team need not exist yet, and is the only channel where it is not on. A Response says why none was found.
func (b *Bot) teamFor(ctx context.Context, f From, verb string) (Team, Response, error) {
	say := sayer(f.Lang)
	if f.Team != "" {
		t, err := b.o.Store.Team(ctx, f.Team)
		if errors.Is(err, ErrNotFound) {
			if verb == "on" || verb == "help" {
				return Team{ID: f.Team, Name: f.Chan}, Response{}, nil
			}
			return t, say.message("cmd.not-a-team"), nil
		}
		return t, Response{}, err
	}
	channels, err := b.channelsOf(ctx, f.User)
	if err != nil {
		return Team{}, Response{}, err
	}
	var teams []Team
	for _, id := range channels {
		t, err := b.o.Store.Team(ctx, id)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return Team{}, Response{}, err
		}
		if err == nil || verb == "on" {
			t.ID = id
			teams = append(teams, t)
		}
	}
	if verb == "on" { // where it is on already is meant only if there is nowhere else
		off := slices.DeleteFunc(slices.Clone(teams), func(t Team) bool { return t.State == TeamOn || t.State == TeamJoining })
		if len(off) > 0 {
			teams = off
		}
	}
	switch {
	case len(teams) == 1:
		return teams[0], Response{}, nil
	case len(teams) == 0:
		return Team{}, say.message("cmd.no-team"), nil
	}
	return Team{}, say.message("cmd.which-channel"), nil
}

func (b *Bot) help(ctx context.Context, f From) (Response, error) {
	say := sayer(f.Lang)
	m := Message{Lang: f.Lang, Blocks: []Block{
		Text(Rich(say("cmd.help-intro"))...),
		{Kind: BlockCode, Spans: []Span{{Text: say("cmd.help-everyone")}}},
	}}
	if t, r, err := b.teamFor(ctx, f, "help"); err == nil && r.Message == nil {
		if ok, err := b.manages(ctx, f, t); err == nil && ok {
			m.Blocks = append(m.Blocks, Text(Rich(say("cmd.help-managers-intro"))...),
				Block{Kind: BlockCode, Spans: []Span{{Text: say("cmd.help-managers")}}})
		}
	}
	if b.MayEdit(f.User.Actor()) {
		m.Blocks = append(m.Blocks, Text(Rich(say("cmd.help-editors-intro"))...), Block{Kind: BlockCode, Spans: []Span{{Text: say("cmd.help-editors")}}})
	}
	m.Blocks = append(m.Blocks, Note(say("cmd.help-reply")))
	return Response{Message: &m}, nil
}

func removeForm(lang prompts.Lang) *Form {
	say := sayer(lang)
	return &Form{
		Name: "remove", Lang: lang, Title: say("reply.remove-title"), Submit: say("reply.remove-submit"),
		Intro:  []Block{Text(Rich(say("reply.remove-intro"))...)},
		Fields: []Field{{Name: "code", Kind: FieldLine, Label: say("reply.remove-code"), Max: 40, Required: true}},
	}
}

// ownAnswer handles the typed words about one's own answer; with several rounds it asks which, and number says it.
func (b *Bot) ownAnswer(ctx context.Context, f From, verb, number string) (Response, error) {
	say := sayer(f.Lang)
	seats, err := b.seats(ctx, f, "")
	if err != nil {
		return b.refused(err, f.Lang)
	}
	if len(seats) == 0 {
		return b.noRound(ctx, f)
	}
	do, key := verb, "reply.which-withdraw"
	switch verb {
	case "change":
		do, key = "answer", "reply.which-round"
	case "receipt":
		key = "reply.which-code"
	}
	// A number is that in the list of all open rounds, whatever lies in them: it means the same before and after a
	// withdrawal, and one that is not in the list asks again instead of taking another.
	if n, err := strconv.Atoi(number); err == nil && n <= len(seats) {
		seats = seats[n-1 : n]
	} else if verb != "change" && number == "" {
		mine := slices.DeleteFunc(slices.Clone(seats), func(s *seat) bool { return !s.taken(version(f.At)) })
		switch len(mine) {
		case 0:
			return say.message("reply.nothing-to-withdraw"), nil
		case 1:
			seats = mine
		}
	} else if number != "" {
		return b.askRound(seats, f.Lang, do, key), nil
	}
	if len(seats) > 1 {
		return b.askRound(seats, f.Lang, do, key), nil
	}
	switch verb {
	case "withdraw":
		return b.withdraw(ctx, seats[0], f)
	case "receipt":
		return b.showReceipt(seats[0], f.Lang), nil
	}
	key, typed := "reply.change-how", "reply.change-how-typed"
	if seats[0].ballot == nil && !seats[0].draft() {
		key, typed = "reply.nothing-to-change", "reply.nothing-to-change-typed"
	}
	if b.mustType(f) { // no button that opens a form
		return say.message(typed), nil
	}
	r := say.message(key)
	r.Message.Blocks = append(r.Message.Blocks, Block{Kind: BlockActions, Actions: []Action{
		{Do: "answer", Round: seats[0].round.ID, Label: say("round.answer"), Main: true},
	}})
	return r, nil
}

// pressed handles a button.
func (b *Bot) pressed(ctx context.Context, e ActionPressed) (Response, error) {
	say := sayer(e.Lang)
	a := e.Action
	b.proves(ctx, e)
	switch a.Do {
	case "why":
		r, err := b.o.Store.Round(ctx, a.Round)
		if errors.Is(err, ErrNotFound) {
			return say.message("reply.late"), nil
		}
		if err != nil {
			return say.message("common.later"), err
		}
		if a.Arg == whySaid {
			return b.whySaid(ctx, e.From, r)
		}
		return b.whyRound(ctx, e.Lang, r)
	case "me":
		return b.me(ctx, e.From)
	case "help":
		return b.help(ctx, e.From)
	case "propose":
		return b.askProposal(ctx, e.From)
	case "desk", "desk-form", "desk-act":
		return b.deskPressed(ctx, e)
	case "there", "not-there":
		return b.resolve(ctx, e.From, PostID(a.Arg), a.Do == "there")
	case "word":
		return b.wordPressed(ctx, e)
	case doAgree, doLeave:
		return b.agreePressed(ctx, e)
	case doPassed:
		return b.passedPressed(ctx, e)
	case "wake-up":
		return b.wakeUp(ctx, e.From, TeamID(a.Arg))
	case "remove":
		return Response{Form: removeForm(e.Lang)}, nil
	case "on", "settings":
		f := e.From
		f.Team = cmp.Or(TeamID(a.Arg), f.Team)
		return b.command(ctx, f, a.Do)
	}
	if a.Do == "answer" && a.Round == "" {
		return b.anyRound(ctx, e)
	}
	s, err := b.seatIn(ctx, e.From, a.Round)
	if err != nil {
		return b.refused(err, e.Lang)
	}
	switch a.Do {
	case "answer":
		if former, ok := b.chatOf(s.round.Team).(Former); !ok || !former.Forms() {
			return say.message("reply.type-it"), nil
		}
		return Response{Form: b.replyForm(s, e.Lang, b.openingFor(s.box, e.At))}, nil
	case "round":
		return b.chooseRound(ctx, e.From, a.Round)
	case "merge":
		if how := a.Arg; how != "add" && how != "replace" {
			break
		}
		return b.merge(ctx, s, e.From, a.Arg)
	case "share":
		return b.share(ctx, s, e.From, Share(a.Arg), mark{})
	case "tag":
		return b.tag(ctx, s, e.From, []string{a.Arg}, "", false)
	case "mirror":
		if a.Arg != "yes" && a.Arg != "no" {
			break
		}
		return b.answerMirror(ctx, s, e.From, a.Arg == "yes")
	case "strike":
		return b.strike(ctx, s, e.From)
	case "withdraw":
		return b.withdraw(ctx, s, e.From)
	case "receipt":
		return b.showReceipt(s, e.Lang), nil
	case "vote":
		return b.vote(ctx, s, e.From, a.Arg)
	}
	return say.message("reply.pick-again"), nil
}

// anyRound is a wish to answer that names no round: that of the channel it came from, the only one, or which.
func (b *Bot) anyRound(ctx context.Context, e ActionPressed) (Response, error) {
	seats, err := b.seats(ctx, e.From, "")
	if err != nil {
		return b.refused(err, e.Lang)
	}
	here := func(s *seat) bool { return s.round.Team == e.Team }
	if slices.ContainsFunc(seats, here) {
		seats = slices.DeleteFunc(seats, func(s *seat) bool { return !here(s) })
	}
	switch len(seats) {
	case 0:
		return b.noRound(ctx, e.From)
	case 1:
		e.Action.Round = seats[0].round.ID
		return b.pressed(ctx, e)
	}
	return b.askRound(seats, e.Lang, "answer", "reply.which-answer"), nil
}

// proves settles a post of which it was unknown whether it stands there: somebody pressed its button (TRUST D5).
func (b *Bot) proves(ctx context.Context, e ActionPressed) {
	if e.Ref == "" || e.Post == "" || e.Action.Round == "" {
		return
	}
	for _, step := range []string{"prompt", "reminder"} {
		id := stepPost(e.Action.Round, step)
		open := func(p Post) bool {
			return p.Key == e.Post && (p.State == PostUncertain || p.State == PostSending)
		}
		if p, err := b.o.Store.Post(ctx, id); err != nil || !open(p) {
			continue
		}
		b.contained("press", func() error {
			return b.o.Store.UpdatePost(ctx, id, func(p *Post) (Also, error) {
				if open(*p) {
					p.State, p.Ref, p.Message = PostSent, e.Ref, Message{}
				}
				return Also{}, nil
			})
		})
	}
}

// submitted handles a form.
func (b *Bot) submitted(ctx context.Context, e FormSubmitted) (Response, error) {
	switch e.Form {
	case "reply":
		return b.submitReply(ctx, e)
	case "on", "settings":
		return b.submitSettings(ctx, e)
	case "remove":
		return b.remove(ctx, e.From, first(e.Values["code"]))
	case formAgree:
		return b.submitAgreement(ctx, e)
	case formPassed:
		return b.submitAnswer(ctx, e)
	case formPropose:
		return b.submitProposal(ctx, e)
	case formWords, formFacts, formReturn:
		return b.submitDesk(ctx, e)
	}
	return sayer(e.Lang).message("reply.pick-again"), nil
}

// pause skips the next opening; anyone in the channel may ask it, and nobody is named.
func (b *Bot) pause(ctx context.Context, f From, t Team, incident bool) (Response, error) {
	say := sayer(f.Lang)
	channels, err := b.channelsOf(ctx, f.User)
	if err != nil {
		return say.message("common.later"), err
	}
	if !slices.Contains(channels, t.ID) {
		return say.message("reply.not-in-channel"), nil
	}
	again := t.Paused.Equal(f.At) // the same once more
	if t.State != TeamOn || t.NextOpens.IsZero() {
		if again {
			return say.kept("team.paused-private"), nil
		}
		return say.message("team.nothing-to-pause"), nil
	}
	cal, err := ParseCalendar(t.Settings, b.o.Holidays...)
	if err != nil {
		return say.message("common.later"), err
	}
	now := f.At
	if incident {
		t.Incident = later(t.Incident, now.UTC())
	}
	back := b.afterNext(t)
	asked, late := false, false
	err = b.o.Store.UpdateTeam(ctx, t.ID, func(t *Team) (Also, error) {
		asked, late = t.SkipNext, !now.After(t.Skipped)
		if late || asked && !(incident && now.After(t.Incident)) {
			return Also{}, errSame
		}
		if incident {
			t.Incident = later(t.Incident, now.UTC())
		}
		if asked {
			return Also{}, nil
		}
		t.SkipNext, t.Paused = true, now.UTC()
		m := Message{Lang: t.Settings.Lang, Blocks: []Block{Text(Rich(locale.Text(t.Settings.Lang, "team.paused"),
			"date", locale.Date(t.Settings.Lang, back.In(zoneOf(t.Settings.Zone))))...)}}
		p := b.say(t.ID, t.pausePost(), m, now)
		if incident { // nothing is posted for two working days
			p.After = cal.Quiet(now, 2)
		}
		return Also{Posts: []Post{p}}, nil
	})
	if err != nil && !errors.Is(err, errSame) {
		return say.message("common.later"), err
	}
	for _, id := range t.asks() {
		if !incident || late {
			break
		}
		err = b.o.Store.UpdateRound(ctx, id, func(r *Round, _ *Team) (Also, error) {
			if r.State != RoundOpen && r.State != RoundClosing && r.State != RoundClosed || !r.GivesBack.Before(now.AddDate(0, 0, 7)) || r.Opens.After(now) {
				return Also{}, errSame
			}
			r.Reminds = time.Time{}
			r.GivesBack = cal.Move(later(r.GivesBack, now).AddDate(0, 0, 7)).UTC()
			return Also{}, nil
		})
		if err != nil && !errors.Is(err, errSame) {
			return say.message("common.later"), err
		}
		b.boxes.drop(id) // its moments changed
	}
	b.wake(b.wakeSender)
	b.wake(b.wakeAgenda)
	switch {
	case incident:
		return say.kept("team.paused-incident", "date", locale.Date(f.Lang, back.In(zoneOf(t.Settings.Zone)))), nil
	case !again && (asked || late):
		return say.message("team.paused-already"), nil
	}
	return say.kept("team.paused-private"), nil
}

// status tells how things stand; never who or how many answered.
func (b *Bot) status(ctx context.Context, f From, t Team) (Response, error) {
	say := sayer(f.Lang)
	zone := zoneOf(t.Settings.Zone)
	var lines []string
	switch t.State {
	case TeamOn:
		lines = append(lines, say("team.status-on", "rhythm", rhythmName(f.Lang, t.Settings.Rhythm)))
	case TeamResting:
		lines = append(lines, say("team.status-resting"))
	case TeamGone:
		lines = append(lines, say("team.status-gone"))
	default:
		lines = append(lines, say("team.status-off"))
	}
	if t.Open != "" {
		r, err := b.o.Store.Round(ctx, t.Open)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return say.message("common.later"), err
		}
		switch {
		case err != nil:
		case r.State == RoundOpen && b.neverSent(ctx, r):
			lines = append(lines, say("team.status-not-posted"))
		case r.State == RoundOpen:
			lines = append(lines, say("team.status-open", "closing", locale.Moment(f.Lang, r.Closes.In(zone))))
		default:
			lines = append(lines, say("team.status-closed", "giveback", locale.Moment(f.Lang, r.GivesBack.In(zone))))
		}
	}
	follows, err := b.statusFollows(ctx, f.Lang, t)
	if err != nil {
		return say.message("common.later"), err
	}
	lines = append(lines, follows...)
	if !t.Wake().IsZero() {
		lines = append(lines, b.nextLine(f.Lang, t))
	}
	if t.NoPrompt {
		lines = append(lines, say("team.status-no-prompt"))
	}
	m := Message{Lang: f.Lang}
	for _, line := range lines {
		m.Blocks = append(m.Blocks, Text(Span{Text: line}))
	}
	manages, err := b.manages(ctx, f, t)
	if err != nil {
		return say.message("common.later"), err
	}
	m.Blocks = append(m.Blocks, owedTo(t, f, manages)...)
	m.Blocks = append(m.Blocks, Note(say("team.status-note")))
	if !manages {
		return Response{Message: &m}, nil
	}
	p, err := b.unsure(ctx, t, time.Time{}) // also when the question in private did not arrive, or its reader left
	if err != nil {
		return say.message("common.later"), err
	}
	if p.ID != "" {
		m.Blocks = append(m.Blocks, askWhether(f.Lang, t.Name, p.ID)...)
	}
	return Response{Message: &m}, nil
}

// unsure is the newest post of a team of which nobody knows whether it stands there; zero if there is none. If an answer
// of that very moment settled one before, it is that one: words that come again settle no other.
func (b *Bot) unsure(ctx context.Context, t Team, answered time.Time) (open Post, err error) {
	rounds, err := b.o.Store.Rounds(ctx, t.ID)
	if err != nil {
		return Post{}, err
	}
	var ids []PostID
	for _, what := range []string{"on", "off", "settings", "woken"} {
		ids = append(ids, t.actPost(what))
	}
	ids = append(ids, t.pausePost())
	for _, r := range slices.Backward(rounds) {
		steps := []string{"prompt", "reminder", "lost", "give-back", "guide", "counted", stepAgree}
		if r.Kind == RoundFollow {
			steps = []string{"prompt", "lost", "give-back"}
		}
		for page := range max(1, r.Pages) {
			steps = append(steps, threadStep(page))
		}
		for _, step := range steps {
			ids = append(ids, stepPost(r.ID, step))
		}
	}
	for _, id := range ids[:min(len(ids), 8*20)] { // what is older nobody remembers
		p, err := b.o.Store.Post(ctx, id)
		switch {
		case err == nil && !answered.IsZero() && p.Settled.Equal(answered):
			return p, nil
		case err == nil && p.State == PostUncertain && open.ID == "":
			open = p
		case err != nil && !errors.Is(err, ErrNotFound):
			return Post{}, err
		}
	}
	return open, nil
}

func (b *Bot) nextLine(lang prompts.Lang, t Team) string {
	say := sayer(lang)
	zone := zoneOf(t.Settings.Zone)
	moment := locale.Moment(lang, t.NextOpens.In(zone))
	if back := b.afterNext(t); t.SkipNext && !back.IsZero() {
		return say("team.next-skipped", "moment", moment, "back", locale.Moment(lang, back.In(zone)))
	}
	return say("team.next", "moment", moment)
}

// afterNext is the opening after the next one; zero if there is none.
func (b *Bot) afterNext(t Team) time.Time {
	cal, err := ParseCalendar(t.Settings, b.o.Holidays...)
	if err != nil {
		return time.Time{} // settings are checked before they are stored
	}
	return cal.Next(t.Since, t.skipTo(cal), time.Time{}, t.HalfPace).Opens
}

func (b *Bot) next(f From, t Team) Response {
	say := sayer(f.Lang)
	if t.Wake().IsZero() {
		return say.message("team.next-none")
	}
	return Response{Message: &Message{Lang: f.Lang, Blocks: []Block{Text(Span{Text: b.nextLine(f.Lang, t)})}}}
}

// why explains the question that is open, or the last one.
func (b *Bot) why(ctx context.Context, f From, t Team) (Response, error) {
	say := sayer(f.Lang)
	rounds, err := b.o.Store.Rounds(ctx, t.ID)
	if err != nil {
		return say.message("common.later"), err
	}
	var asked *Round
	for _, r := range rounds {
		if r.Kind == RoundQuestion || r.Kind == RoundTalk {
			asked = &r
		}
	}
	if asked == nil {
		return say.message("team.why-none"), nil
	}
	a, err := b.whyRound(ctx, f.Lang, *asked)
	if last, ok := lastSaid(rounds); ok && err == nil { // what was said of what comes back is the team's own
		channels, err := b.channelsOf(ctx, f.User)
		if err != nil {
			return say.message("common.later"), err
		}
		if slices.Contains(channels, t.ID) {
			a.Message.Blocks = append(a.Message.Blocks, WhyTold(f.Lang, last.Statements)...)
		}
	}
	return a, err
}

// whySaid tells somebody of the channel what the statements of a round rest on.
func (b *Bot) whySaid(ctx context.Context, f From, r Round) (Response, error) {
	say := sayer(f.Lang)
	channels, err := b.channelsOf(ctx, f.User)
	if err != nil {
		return say.message("common.later"), err
	}
	if !slices.Contains(channels, r.Team) {
		return say.message("reply.not-in-channel"), nil
	}
	return Response{Message: &Message{Lang: f.Lang, Blocks: WhyTold(f.Lang, r.Statements)}}, nil
}

func (b *Bot) whyRound(ctx context.Context, lang prompts.Lang, r Round) (Response, error) {
	say := sayer(lang)
	lib, err := b.library(ctx)
	if err != nil {
		return say.message("common.later"), err
	}
	return Response{Message: &Message{Lang: lang, Blocks: []Block{
		Text(Span{Text: r.Prompt.In(lang).Title, Strong: true}),
		Text(Span{Text: Why(lang, r.Reasons, &lib)}),
		Note(say("round.why-note")),
	}}}, nil
}

// season shows the overview of the team's season so far.
func (b *Bot) season(ctx context.Context, f From, t Team) (Response, error) {
	say := sayer(f.Lang)
	channels, err := b.channelsOf(ctx, f.User)
	if err != nil {
		return say.message("common.later"), err
	}
	if !slices.Contains(channels, t.ID) {
		return say.message("reply.not-in-channel"), nil
	}
	m, err := b.seasonMessage(ctx, t, f.Lang, f.At)
	if err != nil {
		return say.message("common.later"), err
	}
	return Response{Message: &m}, nil
}

func (b *Bot) seasonMessage(ctx context.Context, t Team, lang prompts.Lang, now time.Time) (Message, error) {
	lib, err := b.library(ctx)
	if err != nil {
		return Message{}, err
	}
	rounds, err := b.o.Store.Rounds(ctx, t.ID)
	if err != nil {
		return Message{}, err
	}
	text, picture, err := b.leaves(ctx, t, rounds, &lib)
	if err != nil {
		return Message{}, err
	}
	return b.withAgreements(ctx, seasonNow(t, rounds, &lib, lang, text, picture), t, rounds, now, 0)
}

// resolveTyped settles the uncertain posts of the teams that the author manages.
func (b *Bot) resolveTyped(ctx context.Context, f From, there bool) (Response, error) {
	t, r, err := b.teamFor(ctx, f, "status")
	if err != nil || r.Message != nil {
		return r, err
	}
	p, err := b.unsure(ctx, t, f.At)
	if err != nil {
		return sayer(f.Lang).message("common.later"), err
	}
	if p.ID == "" {
		return sayer(f.Lang).message("team.uncertain-settled"), nil
	}
	return b.resolve(ctx, f, p.ID, there)
}
