package bot

import (
	"slices"
	"strconv"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// promptMessage is a round's question as it stands in the channel, open or closed.
func (b *Bot) promptMessage(r Round, closed bool) Message {
	if r.Kind == RoundFollow {
		return Invitation(r, closed)
	}
	say := sayer(r.Lang)
	zone := zoneOf(r.Zone)
	words := r.Prompt.In(r.Lang)
	m := Message{Lang: r.Lang, Blocks: []Block{Heading(words.Title), promptText(r, r.Lang)}}
	if words.PoleA != "" && words.PoleB != "" {
		poles := []Span{{Text: words.PoleA}, {Text: words.PoleB}}
		if r.Flip {
			slices.Reverse(poles)
		}
		m.Blocks = append(m.Blocks, Block{Kind: BlockPoles, Spans: poles})
	}
	m.Blocks = append(m.Blocks, Text(Span{Text: words.Question, Strong: true}))
	if r.Prompt.Source == prompts.SourceTeam {
		m.Blocks = append(m.Blocks, Note(say("round.from-team")))
	}
	if closed && r.State == RoundLost { // no give-back comes
		m.Blocks = append(m.Blocks, Note(say("round.reminder-closed")))
		return m
	}
	if closed {
		m.Blocks = append(m.Blocks, Note(say("round.closed", "giveback", locale.Moment(r.Lang, r.GivesBack.In(zone)))))
		return m
	}
	m.Blocks = append(m.Blocks,
		Block{Kind: BlockActions, Actions: []Action{
			{Do: "answer", Round: r.ID, Label: say("round.answer"), Main: true},
			{Do: "why", Round: r.ID, Label: say("round.why"), Typed: say("round.why-word")},
		}},
		Note(say("round.footer", "closing", locale.Moment(r.Lang, r.Closes.In(zone)))))
	if r.Adviser != "" {
		m.Blocks = append(m.Blocks, Note(say("round.help-footer", "adviser", r.Adviser)))
	}
	return m
}

func (b *Bot) reminderMessage(r Round) Message {
	say := sayer(r.Lang)
	return Message{Lang: r.Lang, Blocks: []Block{
		Text(Span{Text: say("round.reminder", "closing", locale.Moment(r.Lang, r.Closes.In(zoneOf(r.Zone))))}),
		{Kind: BlockActions, Actions: []Action{{Do: "answer", Round: r.ID, Label: say("round.answer")}}},
	}}
}

// talkMessage is a question to talk about; it collects nothing.
func (b *Bot) talkMessage(r Round) Message {
	lib := b.o.Library
	return TalkOnly(r, &lib)
}

// announcement is the one message with which a team hears that it was switched on.
func (b *Bot) announcement(t Team, manager string, first Moments, join *Round) Message {
	say := sayer(t.Settings.Lang)
	zone := zoneOf(t.Settings.Zone)
	lang := t.Settings.Lang
	key := "team.announce"
	if t.Settings.Rhythm == RhythmTalkOnly {
		key = "team.announce-talk"
	}
	m := Message{Lang: lang, Blocks: []Block{
		Text(Rich(locale.Text(lang, key), "date", locale.Date(lang, first.Opens.In(zone)), "manager", manager,
			"rhythm", rhythmName(lang, t.Settings.Rhythm))...),
		Text(Span{Text: say("team.statement-by", "manager", manager)}),
		Quote(t.Settings.Statement),
	}}
	if t.Settings.Rhythm != RhythmTalkOnly {
		m.Blocks = append(m.Blocks, Text(Span{Text: say("team.announce-limits", "days", strconv.Itoa(b.o.KeepDays),
			"minimum", locale.Number(lang, t.Settings.MinReplies))}))
	}
	if join != nil {
		m.Blocks = append(m.Blocks, Text(Span{Text: say("team.announce-join", "count", locale.Number(lang, t.Settings.MinReplies),
			"closing", locale.Moment(lang, join.Closes.In(zone)))}), voteActions(*join))
	}
	m.Blocks = append(m.Blocks, Block{Kind: BlockActions, Actions: []Action{
		{Do: "me", Label: say("team.announce-me"), Typed: say("team.announce-me-word")},
		{Do: "help", Label: say("team.announce-help"), Typed: "help"},
	}}, Note(say("team.announce-pause")))
	if t.Settings.Adviser != "" {
		m.Blocks = append(m.Blocks, Note(say("round.help-footer", "adviser", t.Settings.Adviser)))
	}
	return m
}

// settingsMessage tells the channel what a manager changed; it holds from the next round.
func (b *Bot) settingsMessage(t Team, changed []string) Message {
	lang := t.Settings.Lang
	say := sayer(lang)
	m := Message{Lang: lang, Blocks: []Block{Text(Span{Text: say("team.changed")})}}
	for _, name := range changed {
		var line string
		switch name {
		case "lang":
			line = say("team.changed-lang")
		case "rhythm":
			line = say("team.changed-rhythm", "rhythm", rhythmName(lang, t.Settings.Rhythm))
		case "zone":
			line = say("team.changed-zone", "zone", t.Settings.Zone)
		case "audience":
			line = say("team.changed-audience")
		case "adviser":
			line = say("team.changed-adviser", "adviser", t.Settings.Adviser)
		case "statement":
			line = say("team.changed-statement")
		case "min_replies":
			line = say("team.changed-min", "minimum", locale.Number(lang, t.Settings.MinReplies))
		case "purpose":
			line = say("team.changed-purpose", "purpose", t.Settings.Purpose)
			if t.Settings.Purpose == "" {
				line = say("team.changed-purpose-none")
			}
		case "quiet_hours":
			line = say("team.changed-quiet")
		}
		m.Blocks = append(m.Blocks, Text(Span{Text: line}))
	}
	if !t.NextOpens.IsZero() {
		m.Blocks = append(m.Blocks, Note(b.nextLine(lang, t)))
	}
	return m
}
