package bot

import (
	"slices"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/bot/seasonpic"
	"github.com/weerklank/weerklank/prompts"
)

// pictured puts the picture of a season above its text version, which stays: on a telephone with a screen reader, and where a
// platform takes no pictures, the signs are read there.
func pictured(m Message, t Team, all, rounds []Round, lib *prompts.Library, quotes leafQuotes) Message {
	at := slices.IndexFunc(m.Blocks, func(b Block) bool { return b.Kind == BlockCode })
	if at < 0 { // nothing to show yet
		return m
	}
	_, png, alt, err := seasonpic.Picture(seasonData(t, all, rounds, lib, m.Lang, quotes))
	if err != nil { // the text version says it all
		return m
	}
	m.Blocks = slices.Insert(slices.Clone(m.Blocks), at, Block{Kind: BlockPicture, PNG: png, Spans: []Span{{Text: alt}}})
	return m
}

// seasonData is what the picture shows: the same rounds, signs and words as the text version.
func seasonData(t Team, all, rounds []Round, lib *prompts.Library, lang prompts.Lang, quotes leafQuotes) seasonpic.Data {
	rounds = inOrder(rounds)
	d := seasonpic.Data{Lang: lang, Title: locale.Text(lang, "season.title"), Purpose: t.Settings.Purpose}
	if len(rounds) > 0 {
		zone := zoneOf(t.Settings.Zone)
		d.Period = locale.Month(lang, rounds[0].Opens.In(zone))
		if last := locale.Month(lang, rounds[len(rounds)-1].Opens.In(zone)); last != d.Period {
			d.Period += " – " + last
		}
		d.Period = locale.Capital(d.Period)
	}
	marks := map[string]seasonpic.Mark{symNotAsked: seasonpic.NotAsked, symAsked: seasonpic.Asked, symSilent: seasonpic.Silent,
		symBelow: seasonpic.Below, symTooFew: seasonpic.TooFew, symOther: seasonpic.Other}
	strongest, _, _ := said(all, rounds, lib)
	shown := branches(rounds, lib)
	for _, tension := range shown {
		row := seasonpic.Row{Label: tension.Label.In(lang)}
		for _, r := range rounds {
			row.Marks = append(row.Marks, marks[symbol(r, tension)])
		}
		named := slices.ContainsFunc(row.Marks, func(m seasonpic.Mark) bool { return m == seasonpic.NotAsked || m == seasonpic.Asked })
		kind := strongest[tension.ID].Kind.shown(named)
		row.Status = kind.word(sayer(lang))
		switch kind {
		case SaidMentioned, SaidAsked, SaidSmall:
			row.Weight = seasonpic.Mentioned
		case SaidRecurring:
			row.Weight = seasonpic.Recurring
		case SaidOften:
			row.Weight = seasonpic.Often
		}
		if said := quotes[tension.ID]; len(shown) <= prompts.MaxOffered || said != [2]string{} { // more grow too high for a telephone
			row.Leaves = leavesOf(tension, said, lang)
		}
		d.Rows = append(d.Rows, row)
	}
	return d
}
