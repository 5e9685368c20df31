package bot

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/weerklank/weerklank/bot/locale"
)

// me answers "what do you know about me?": first what can be found about the asker now, each with its end, then what is
// promised to everybody, and what cannot be. It says the same to those who answered and those who did not: the answer
// may stand in a conversation under their name.
func (b *Bot) me(ctx context.Context, f From) (Response, error) {
	say := sayer(f.Lang)
	found, err := b.foundAbout(ctx, f)
	if err != nil {
		return say.message("common.later"), err
	}
	m := Message{Lang: f.Lang, Blocks: []Block{Heading(say("me.found"))}}
	for _, line := range found {
		m.Blocks = append(m.Blocks, Text(Span{Text: line}))
	}
	m.Blocks = append(m.Blocks, Heading(say("me.title")))
	for _, key := range []string{"me.name", "me.locked", "me.minimum", "me.fewer", "me.shuffled", "me.manager", "me.keys", "me.kept", "me.choice"} {
		m.Blocks = append(m.Blocks, Text(Rich(say(key), "days", strconv.Itoa(b.o.KeepDays), "minimum",
			locale.Number(f.Lang, max(b.o.Team.MinReplies, b.o.Limits.MinReplies)))...))
	}
	m.Blocks = append(m.Blocks, Text(Span{Text: say("me.cannot"), Strong: true}))
	for _, key := range []string{"me.style", "me.typed", "me.form", "me.operator"} {
		m.Blocks = append(m.Blocks, Text(Rich(say(key), "platform", platformName(f.Lang, TeamID(f.User.platform+":")))...))
	}
	m.Blocks = append(m.Blocks, Note(say("me.read-back")))
	return Response{Message: &m}, nil
}

// foundAbout lists, per class of data, what leads to the asker at this moment and until when.
func (b *Bot) foundAbout(ctx context.Context, f From) ([]string, error) {
	say, who := sayer(f.Lang), f.User.Actor()
	channels, err := b.channelsOf(ctx, f.User)
	if err != nil {
		return nil, err
	}
	teams, err := b.o.Store.Teams(ctx)
	if err != nil {
		return nil, err
	}
	var open []Round
	var roles []string
	names := map[TeamID]string{}
	for _, t := range teams {
		names[t.ID] = t.Name
		if t.SwitchedOnBy == who {
			roles = append(roles, say("me.switched-on", "team", t.Name))
		}
		if slices.ContainsFunc(t.Agreements, func(a Agreement) bool { return a.To == who }) {
			roles = append(roles, say("me.passed-on", "team", t.Name))
		}
		if slices.Contains(t.Managers, who) {
			roles = append(roles, say("me.named", "team", t.Name))
		}
		if !slices.Contains(channels, t.ID) {
			continue
		}
		for _, id := range t.Boxes() {
			r, err := b.o.Store.Round(ctx, id)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return nil, err
			}
			if err == nil && (r.State == RoundOpen || r.State == RoundClosing) {
				open = append(open, r)
			}
		}
	}
	slices.SortFunc(open, func(x, y Round) int { return cmp.Or(x.Closes.Compare(y.Closes), cmp.Compare(x.ID, y.ID)) })
	var out []string
	for _, r := range open {
		key := "me.open"
		if !r.Kind.replies() {
			key = "me.open-vote"
		}
		out = append(out, say(key, "team", names[r.Team], "closing", locale.Moment(f.Lang, r.Closes.In(zoneOf(r.Zone)))))
	}
	if len(open) == 0 {
		out = append(out, say("me.open-none"))
	}
	out = append(out, say("me.closed"))
	if b.listedManager(who) {
		roles = append(roles, say("me.config-manager"))
	}
	if b.listedEditor(who) {
		roles = append(roles, say("me.config-editor"))
	}
	watch, err := b.watches(ctx, who)
	if err != nil {
		return nil, err
	}
	if watch {
		roles = append(roles, say("me.watch"))
	}
	acts, err := b.actsOf(ctx, f)
	if err != nil {
		return nil, err
	}
	roles = append(roles, acts...)
	if len(roles) == 0 {
		roles = []string{say("me.no-role")}
	}
	return append(out, roles...), nil
}

// actsOf lists what the audit log holds of the asker.
func (b *Bot) actsOf(ctx context.Context, f From) ([]string, error) {
	log, err := b.o.Store.Audit(ctx)
	if err != nil {
		return nil, err
	}
	var mine []AuditEntry
	for _, e := range log {
		if e.By == f.User.Actor() {
			mine = append(mine, e)
		}
	}
	if len(mine) == 0 {
		return nil, nil
	}
	day := func(at time.Time) string { return locale.Day(f.Lang, at.In(zoneOf(b.o.Team.Zone))) }
	last := mine[len(mine)-1].At
	return []string{sayer(f.Lang)("me.acts", "count", strconv.Itoa(len(mine)), "first", day(mine[0].At), "last", day(last),
		"end", day(last.AddDate(KeepAuditYears, 0, 0)))}, nil
}
