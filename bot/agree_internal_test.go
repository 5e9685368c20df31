package bot

import (
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/prompts"
)

// Which rounds ask for an agreement, and when: with content, in the fourth week, and not within four weeks of the last one.
func TestWhichRoundsAsk(t *testing.T) {
	due := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC) // after the change of the clocks
	round := func(rhythm RhythmName, slot prompts.Slot) Round {
		return Round{Kind: RoundQuestion, State: RoundGivenBack, Tally: &Tally{}, Zone: "Europe/Amsterdam", Rhythm: rhythm, Slot: slot, Due: due}
	}
	with := func(change func(*Round)) Round {
		r := round(RhythmWeekly, prompts.SlotLight)
		change(&r)
		return r
	}
	made := func(days int, choice AgreementChoice) []Agreement { // before it, on the team's clock
		return []Agreement{{Choice: choice, Due: due.In(zoneOf("Europe/Amsterdam")).AddDate(0, 0, -days)}}
	}
	for name, tc := range map[string]struct {
		r    Round
		made []Agreement
		days int
		asks bool
	}{
		"weekly, light":            {r: round(RhythmWeekly, prompts.SlotLight), asks: true},
		"weekly, main":             {r: round(RhythmWeekly, prompts.SlotMain)},
		"fortnightly, light":       {r: round(RhythmFortnightly, prompts.SlotLight), asks: true},
		"fortnightly, main":        {r: round(RhythmFortnightly, prompts.SlotMain)},
		"four beats, the light":    {r: round(RhythmFourBeat, prompts.SlotLight), days: 9, asks: true},
		"four beats, the dilemma":  {r: round(RhythmFourBeat, prompts.SlotMain)},
		"monthly":                  {r: round(RhythmMonthly, prompts.SlotMain), days: 23, asks: true},
		"custom, light":            {r: round(RhythmCustom, prompts.SlotLight), asks: true},
		"too few":                  {r: with(func(r *Round) { r.State, r.Tally = RoundTooFew, nil })},
		"a question to talk about": {r: with(func(r *Round) { r.Kind, r.Tally = RoundTalk, nil })},
		"lost":                     {r: with(func(r *Round) { r.State = RoundLost })},
		"not given back":           {r: with(func(r *Round) { r.State = RoundClosed })},
		"the end of a season":      {r: with(func(r *Round) { r.Ends = true })},
		"four weeks after one":     {r: round(RhythmWeekly, prompts.SlotLight), made: made(28, AgreeTry), asks: true},
		"three weeks after one":    {r: round(RhythmWeekly, prompts.SlotLight), made: made(21, AgreeLeave)},
		"asked, and none was made": {r: round(RhythmWeekly, prompts.SlotLight), made: made(7, ""), asks: true},
		"asked since, and made before": {r: round(RhythmWeekly, prompts.SlotLight),
			made: append(made(14, AgreePass), made(7, "")...)},
	} {
		if days, asks := asksAgreement(tc.r, tc.made); days != tc.days || asks != tc.asks {
			t.Errorf("%s: %d days, %v", name, days, asks)
		}
	}
	content := []Round{{Kind: RoundQuestion, Season: 2, State: RoundTooFew}, {Kind: RoundQuestion, Season: 1, State: RoundGivenBack, Tally: &Tally{}}}
	if asksAtSeasonEnd(2, due, content, nil, time.UTC) || !asksAtSeasonEnd(1, due, content, nil, time.UTC) || asksAtSeasonEnd(1, due, content, made(7, AgreeTry), time.UTC) {
		t.Error("a season's end asks with content, and not within four weeks")
	}
}

// What is looked back on: what was tried, the oldest first, from six weeks on, once; again only if nobody could read the
// question or open the answers.
func TestWhatIsLookedBackOn(t *testing.T) {
	opens := time.Date(2026, 11, 10, 9, 0, 0, 0, time.UTC)
	try := Agreement{Round: "A", Choice: AgreeTry, LookBackFrom: opens.Add(-time.Hour)}
	asked := try
	asked.LookBack = "L"
	passed, left, early := try, try, try
	passed.Choice, left.Choice, early.LookBackFrom = AgreePass, AgreeLeave, opens.Add(time.Minute)
	newer := try
	newer.Round = "B"
	for name, tc := range map[string]struct {
		made  []Agreement
		state RoundState
		want  RoundID
	}{
		"tried": {[]Agreement{try, newer}, "", "A"}, "passed on": {[]Agreement{passed}, "", ""}, "left": {[]Agreement{left}, "", ""}, "too early": {[]Agreement{early}, "", ""},
		"looked back on": {[]Agreement{asked, newer}, RoundGivenBack, "B"}, "with too few answers": {[]Agreement{asked}, RoundTooFew, ""},
		"never posted": {[]Agreement{asked}, RoundLapsed, "A"}, "lost": {[]Agreement{asked}, RoundLost, "A"}, "being asked": {[]Agreement{asked}, RoundOpen, ""},
	} {
		got, ok := dueLookBack(Team{Agreements: tc.made}, []Round{{ID: "L", State: tc.state}}, opens)
		if got.Round != tc.want || ok != (tc.want != "") {
			t.Errorf("%s: %q", name, got.Round)
		}
	}
}

// Days as people type them.
func TestDayIn(t *testing.T) {
	zone := zoneOf("Europe/Amsterdam")
	now := time.Date(2026, 11, 16, 15, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"15 januari": "2027-01-15", "op 20 november": "2026-11-20", "20 November": "2026-11-20", "16 november": "2027-11-16", "2027-01-15": "2027-01-15",
		"15-1-2027": "2027-01-15", "15/01/2027": "2027-01-15", "3 mrt": "2027-03-03", "1 may 2027": "2027-05-01", "1 mei.": "2027-05-01",
		"31 februari": "", "morgen": "", "": "", "volgende week": "", "1/15/2027": "", "15 januari 27": "", "januari": "", "0 januari": "", "99": "", "1 2 3 4": "",
	} {
		got, ok := dayIn(text, now, zone)
		if ok != (want != "") || ok && got.In(zone).Format(time.DateOnly) != want {
			t.Errorf("%q: %v %v, want %q", text, got, ok, want)
		}
	}
}

// The short line of a give-back names the first promise of all, and says so once one has passed.
func TestTheShortLineNamesTheFirstPromise(t *testing.T) {
	day := func(d int) time.Time { return time.Date(2026, 12, d, 10, 0, 0, 0, time.UTC) }
	r := Round{Lang: "nl", Zone: "UTC", GivesBack: day(10), Owed: []Owed{{Item: "de bloktijden", On: day(1), Promise: day(20)}, {Item: "de sleutels", On: day(2), Promise: day(16)}}}
	for _, late := range []bool{false, true} {
		want := "Twee antwoorden van de leiding staan nog uit, het eerste uiterlijk 16 december."
		if late {
			r.Owed[1].Promise, r.Owed[1].Late = day(5), true
			want = "Twee antwoorden van de leiding staan nog uit, het eerste was toegezegd voor 5 december."
		}
		if got := (Message{Blocks: r.owes(5)}).Plain(); strings.TrimSpace(got) != want {
			t.Errorf("%q", got)
		}
	}
	if got := Lost(r).Plain(); !strings.Contains(got, "de bloktijden") || !strings.Contains(got, "de sleutels") { // no give-back will say it
		t.Error(got)
	}
}
