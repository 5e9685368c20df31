package editor

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// listView is the page with the prompts.
type listView struct {
	Filters []filter
	Query   string
	Rows    []row
	All     int
	Any     bool // a filter is on
	Waiting int  // for review
	Updates int
	Files   *filesView
	First   bool // the page begins at the first of them
	Before  string
	After   string
	From    int
	To      int
}

type filesView struct {
	At       string
	Problems []string
}

// filter is one choice above the list.
type filter struct {
	Name, Label string
	Options     []option
}

// row is one prompt of the list.
type row struct {
	Key      bot.EntryKey
	Name     string
	Type     string
	Tension  string
	Audience string
	Status   prompts.Status
	State    string
	InForce  bool // another revision is asked meanwhile
	Langs    string
	Whole    bool // both languages are complete
	Origin   string
	Shown    string
	Rests    string
	Errors   int
	Warnings int
	Update   bool
}

const perPage = 40

func (e *Editor) list(v *visit) error {
	c, err := v.bot.Catalogue(v.r.Context())
	if err != nil {
		return err
	}
	q := v.r.URL.Query()
	d := listView{Query: strings.TrimSpace(q.Get("q")), Filters: v.filters(c, q)}
	for _, f := range d.Filters {
		d.Any = d.Any || q.Get(f.Name) != ""
	}
	d.Any = d.Any || d.Query != ""
	errs, warns := counted(c)
	var rows []row
	for _, entry := range c.Entries {
		if entry.Update != nil {
			d.Updates++
		}
		if entry.Prompt == nil {
			continue
		}
		d.All++
		if entry.Prompt.Status == prompts.Review {
			d.Waiting++
		}
		if !v.passes(c, entry, q, d.Query, errs, warns) {
			continue
		}
		rows = append(rows, v.row(c, entry, errs, warns))
	}
	slices.SortStableFunc(rows, func(a, b row) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	from, _ := strconv.Atoi(q.Get("from"))
	if from < 0 || from >= len(rows) {
		from = 0
	}
	to := min(from+perPage, len(rows))
	d.Rows, d.From, d.To = rows[from:to], from+1, to
	all := len(rows)
	turn := func(n int) string {
		q.Del("done")
		q.Set("from", strconv.Itoa(n))
		return "?" + q.Encode()
	}
	if from > 0 {
		d.Before = turn(max(0, from-perPage))
	}
	if to < all {
		d.After = turn(to)
	}
	d.Files = v.files(c)
	title := v.say("web.list")
	if d.Any {
		title = v.say("web.list-found", "count", strconv.Itoa(all), "all", strconv.Itoa(d.All))
	}
	v.show(http.StatusOK, "list", page{Title: title, Nav: "list", D: d})
	return nil
}

func (v *visit) files(c bot.Catalogue) *filesView {
	if c.Files == nil {
		return nil
	}
	return &filesView{At: v.day(c.Files.At), Problems: c.Files.Problems}
}

// counted counts errors and warnings of each prompt and tension.
func counted(c bot.Catalogue) (errs, warns map[bot.EntryKey]int) {
	errs, warns = map[bot.EntryKey]int{}, map[bot.EntryKey]int{}
	for _, f := range c.Findings {
		key := bot.EntryKey{Kind: bot.EntryPrompt, ID: string(f.Prompt)}
		if f.Tension != "" {
			key = bot.EntryKey{Kind: bot.EntryTension, ID: string(f.Tension)}
		}
		if f.Level == prompts.Error {
			errs[key]++
		} else {
			warns[key]++
		}
	}
	return errs, warns
}

func (v *visit) filters(c bot.Catalogue, q url.Values) []filter {
	types := []option{{"", v.say("web.any"), false}}
	for _, k := range []prompts.Kind{prompts.Dilemma, prompts.Appreciative, prompts.Practice, prompts.ValuePrompt, prompts.LookBack} {
		types = append(types, option{string(k), v.typeName(k), false})
	}
	audiences := []option{{"", v.say("web.any"), false}, {string(prompts.Everyone), v.say("web.everyone"), false}}
	tensions := []option{{"", v.say("web.any"), false}}
	for _, entry := range c.Entries {
		switch {
		case entry.Audience != nil:
			audiences = append(audiences, option{entry.Key.ID, nameOf(entry, v.lang), false})
		case entry.Tension != nil:
			tensions = append(tensions, option{entry.Key.ID, nameOf(entry, v.lang), false})
		}
	}
	statuses := []option{{"", v.say("web.any"), false}}
	for _, s := range []prompts.Status{prompts.Draft, prompts.Review, prompts.Active, prompts.Resting, prompts.Retired} {
		statuses = append(statuses, option{string(s), v.statusName(s), false})
	}
	all := []filter{
		{"type", v.say("web.field-type"), types},
		{"audience", v.say("web.field-audience"), audiences},
		{"tension", v.say("web.field-tension"), tensions},
		{"status", v.say("web.field-status"), statuses},
		{"lang", v.say("web.languages"), []option{{"", v.say("web.any"), false}, {"both", v.say("web.langs-both"), false}, {"nl", v.say("web.langs-no-nl"), false}, {"en", v.say("web.langs-no-en"), false}}},
		{"origin", v.say("web.origin"), []option{
			{"", v.say("web.any"), false}, {"built-in", v.say("web.origin-builtin"), false}, {"changed", v.say("web.origin-changed"), false},
			{"own", v.say("web.origin-own"), false}, {"files", v.say("web.origin-files"), false},
		}},
		{"todo", v.say("web.todo"), []option{
			{"", v.say("web.any"), false}, {"review", v.say("web.todo-review"), false}, {"update", v.say("web.todo-update"), false},
			{"findings", v.say("web.todo-findings"), false}, {"missed", v.say("web.todo-missed"), false},
		}},
	}
	for i := range all {
		want := q.Get(all[i].Name)
		for j := range all[i].Options {
			all[i].Options[j].Chosen = all[i].Options[j].Value == want
		}
	}
	return all
}

// passes says whether a prompt is among what the filters ask for.
func (v *visit) passes(c bot.Catalogue, entry bot.Entry, q url.Values, search string, errs, warns map[bot.EntryKey]int) bool {
	p, status := *entry.Prompt, q.Get("status")
	if status == string(prompts.Active) && entry.InForce != nil {
		p = *entry.InForce // what is asked, whatever is written meanwhile
	}
	if t := q.Get("type"); t != "" && string(p.Kind) != t {
		return false
	}
	if a := q.Get("audience"); a != "" && !p.For(prompts.AudienceID(a)) {
		return false
	}
	if t := q.Get("tension"); t != "" && !p.Asks(prompts.TensionID(t)) {
		return false
	}
	if status != "" && string(p.Status) != status {
		return false
	}
	if q.Get("lang") != "" && status == "" && p.Status == prompts.Retired { // it wants no other language any more
		return false
	}
	nl, en := spoken(p, prompts.Dutch), spoken(p, prompts.English)
	switch q.Get("lang") {
	case "both":
		if !nl || !en {
			return false
		}
	case "nl":
		if nl {
			return false
		}
	case "en":
		if en {
			return false
		}
	}
	switch q.Get("origin") {
	case "built-in":
		if entry.Origin != bot.OriginBuiltin {
			return false
		}
	case "changed":
		if !entry.Local {
			return false
		}
	case "own":
		if entry.Origin != bot.OriginOwn || entry.Local {
			return false
		}
	case "files":
		if entry.Origin != bot.OriginFiles {
			return false
		}
	}
	switch q.Get("todo") {
	case "review":
		if p.Status != prompts.Review {
			return false
		}
	case "update":
		if entry.Update == nil {
			return false
		}
	case "findings":
		if errs[entry.Key]+warns[entry.Key] == 0 {
			return false
		}
	case "missed":
		if entry.Shown.Missed == 0 {
			return false
		}
	}
	return search == "" || found(p, search)
}

// found says whether every word that was looked for stands somewhere in the prompt.
func found(p prompts.Prompt, search string) bool {
	var all strings.Builder
	all.WriteString(string(p.ID) + " " + p.Family + " " + strings.Join(p.Themes, " "))
	for _, lang := range prompts.Langs() {
		w := p.Words[lang]
		for _, s := range append([]string{w.Title, w.Text, w.Question, w.PoleA, w.PoleB, w.ProtectsA, w.ProtectsB}, w.Followups...) {
			all.WriteString(" " + s)
		}
	}
	hay := strings.ToLower(all.String())
	for word := range strings.FieldsSeq(strings.ToLower(search)) {
		if !strings.Contains(hay, word) {
			return false
		}
	}
	return true
}

func (v *visit) row(c bot.Catalogue, entry bot.Entry, errs, warns map[bot.EntryKey]int) row {
	p := *entry.Prompt
	var tensions, audiences []string
	for _, t := range p.Tensions {
		tensions = append(tensions, tensionName(&c.Library, t, v.lang))
	}
	for _, a := range p.Audience {
		audiences = append(audiences, v.audienceName(&c.Library, a))
	}
	r := row{
		Key: entry.Key, Name: nameOf(entry, v.lang), Type: v.typeName(p.Kind), Tension: strings.Join(tensions, ", "), Audience: strings.Join(audiences, ", "),
		Status: p.Status, State: v.statusName(p.Status), InForce: entry.InForce != nil, Origin: v.originName(entry), Shown: v.shown(entry.Shown), Rests: v.rests(entry.Shown),
		Errors: errs[entry.Key], Warnings: warns[entry.Key], Update: entry.Update != nil,
	}
	switch nl, en := spoken(p, prompts.Dutch), spoken(p, prompts.English); {
	case nl && en:
		r.Langs, r.Whole = v.say("web.langs-both"), true
	case nl:
		r.Langs = v.say("web.langs-no-en")
	case en:
		r.Langs = v.say("web.langs-no-nl")
	default:
		r.Langs = v.say("web.langs-none")
	}
	return r
}

// shown says in rounds what is known of a prompt's use.
func (v *visit) shown(s bot.Shown) string {
	if s.Rounds == 0 {
		return v.say("web.shown-never")
	}
	text := v.say("web.shown", "rounds", strconv.Itoa(s.Rounds), "teams", strconv.Itoa(s.Teams), "last", v.day(s.Last))
	if s.Missed > 0 {
		text += " " + v.say("web.shown-missed", "missed", strconv.Itoa(s.Missed))
	}
	return text
}

func (v *visit) rests(s bot.Shown) string {
	if s.Rests.IsZero() || !s.Rests.After(time.Now()) {
		return ""
	}
	return v.say("web.rests", "day", v.day(s.Rests))
}

func (v *visit) day(t time.Time) string {
	if t.IsZero() {
		return v.say("web.unknown")
	}
	return locale.Day(v.lang, t)
}

func monthDay(m int) time.Time { return time.Date(2026, time.Month(m), 1, 0, 0, 0, 0, time.UTC) }

// coverView is the page that shows where the library is thin.
type coverView struct {
	Tensions []option // Value: ID, Label: name
	Rows     []coverRow
	Types    []countRow
	Langs    []countRow
	Resting  []countRow // prompts that rest longest, with the day
	Asked    []countRow
	Missed   []countRow
	Gaps     int
	Enough   int
}

type coverRow struct {
	ID, Name string
	Dilemmas int
	Gentle   int
	Short    bool
	Cells    []coverCell
}

type coverCell struct {
	Tension string
	N       int
	Light   int
}

type countRow struct {
	Link, Name, Text string
	N                int
}

func (e *Editor) coverage(v *visit) error {
	c, err := v.bot.Catalogue(v.r.Context())
	if err != nil {
		return err
	}
	d := coverView{Enough: prompts.EnoughDilemmas}
	for _, t := range c.Library.Tensions {
		if !t.Retired {
			d.Tensions = append(d.Tensions, option{Value: string(t.ID), Label: t.Label.In(v.lang)})
		}
	}
	for _, a := range c.Coverage {
		if i := slices.IndexFunc(c.Library.Audiences, func(x prompts.Audience) bool { return x.ID == a.Audience }); i >= 0 && c.Library.Audiences[i].Retired {
			continue
		}
		r := coverRow{ID: string(a.Audience), Name: v.audienceName(&c.Library, a.Audience), Dilemmas: a.Dilemmas, Gentle: a.Gentle, Short: a.Short()}
		for _, t := range d.Tensions {
			cell := coverCell{Tension: t.Value, N: a.Tensions[prompts.TensionID(t.Value)], Light: a.Light[prompts.TensionID(t.Value)]}
			if cell.N == 0 {
				d.Gaps++
			}
			r.Cells = append(r.Cells, cell)
		}
		d.Rows = append(d.Rows, r)
	}
	types, langs := map[prompts.Kind]int{}, map[string]int{}
	for _, entry := range c.Entries {
		if entry.Prompt == nil || entry.Prompt.Status == prompts.Retired {
			continue
		}
		p := *entry.Prompt
		switch {
		case p.Status == prompts.Active:
			types[p.Kind]++
		case entry.InForce != nil:
			types[entry.InForce.Kind]++
		}
		nl, en := spoken(p, prompts.Dutch), spoken(p, prompts.English)
		switch {
		case nl && en:
			langs["both"]++
		case !nl:
			langs["nl"]++
		}
		if !en {
			langs["en"]++
		}
		name, link := nameOf(entry, v.lang), v.link("entry", string(entry.Key.Kind), entry.Key.ID)
		if rests := v.rests(entry.Shown); rests != "" {
			d.Resting = append(d.Resting, countRow{link, name, rests, int(entry.Shown.Rests.Unix())})
		}
		if entry.Shown.Rounds > 0 {
			d.Asked = append(d.Asked, countRow{link, name, v.shown(entry.Shown), entry.Shown.Rounds})
		}
		if entry.Shown.Missed > 0 {
			d.Missed = append(d.Missed, countRow{link, name, v.say("web.shown-missed", "missed", strconv.Itoa(entry.Shown.Missed)), entry.Shown.Missed})
		}
	}
	for _, k := range []prompts.Kind{prompts.Dilemma, prompts.Appreciative, prompts.Practice, prompts.ValuePrompt, prompts.LookBack} {
		d.Types = append(d.Types, countRow{Link: v.at.base + "/?status=active&type=" + url.QueryEscape(string(k)), Name: v.typeName(k), N: types[k]})
	}
	d.Langs = []countRow{
		{Link: v.at.base + "/?lang=both", Name: v.say("web.langs-both"), N: langs["both"]},
		{Link: v.at.base + "/?lang=nl", Name: v.say("web.langs-no-nl"), N: langs["nl"]},
		{Link: v.at.base + "/?lang=en", Name: v.say("web.langs-no-en"), N: langs["en"]},
	}
	for _, rows := range []*[]countRow{&d.Asked, &d.Missed, &d.Resting} {
		slices.SortStableFunc(*rows, func(a, b countRow) int { return b.N - a.N })
		*rows = (*rows)[:min(len(*rows), 10)]
	}
	v.show(http.StatusOK, "coverage", page{Title: v.say("web.coverage"), Nav: "coverage", D: d})
	return nil
}

// wordsView is the page with tensions, values and audiences.
type wordsView struct{ Groups []wordGroup }

type wordGroup struct {
	Kind    bot.EntryKind
	Name    string
	Explain string
	Add     string
	Rows    []wordRow
}

type wordRow struct {
	Key      bot.EntryKey
	Name     string
	Text     string
	Origin   string
	Retired  bool
	Update   bool
	Errors   int
	Warnings int
	Used     int
}

func (e *Editor) words(v *visit) error {
	c, err := v.bot.Catalogue(v.r.Context())
	if err != nil {
		return err
	}
	errs, warns := counted(c)
	used := map[bot.EntryKey]int{}
	for _, entry := range c.Entries {
		if entry.Prompt == nil || entry.Prompt.Status == prompts.Retired {
			continue
		}
		for _, t := range entry.Prompt.Tensions {
			used[bot.EntryKey{Kind: bot.EntryTension, ID: string(t)}]++
		}
		for _, x := range entry.Prompt.Values {
			used[bot.EntryKey{Kind: bot.EntryValue, ID: string(x)}]++
		}
		for _, a := range entry.Prompt.Audience {
			used[bot.EntryKey{Kind: bot.EntryAudience, ID: string(a)}]++
		}
	}
	d := wordsView{Groups: []wordGroup{
		{Kind: bot.EntryTension, Name: v.say("web.tensions"), Explain: v.say("web.tensions-explain"), Add: v.say("web.add-tension")},
		{Kind: bot.EntryValue, Name: v.say("web.values"), Explain: v.say("web.values-explain"), Add: v.say("web.add-value")},
		{Kind: bot.EntryAudience, Name: v.say("web.audiences"), Explain: v.say("web.audiences-explain"), Add: v.say("web.add-audience")},
	}}
	for _, entry := range c.Entries {
		i := slices.IndexFunc(d.Groups, func(g wordGroup) bool { return g.Kind == entry.Key.Kind })
		if i < 0 {
			continue
		}
		r := wordRow{
			Key: entry.Key, Name: nameOf(entry, v.lang), Origin: v.originName(entry), Retired: entry.Retired, Update: entry.Update != nil,
			Errors: errs[entry.Key], Warnings: warns[entry.Key], Used: used[entry.Key],
		}
		if entry.Tension != nil {
			r.Text = entry.Tension.A.In(v.lang) + " ⟷ " + entry.Tension.B.In(v.lang)
		}
		d.Groups[i].Rows = append(d.Groups[i].Rows, r)
	}
	v.show(http.StatusOK, "words", page{Title: v.say("web.words"), Nav: "words", D: d})
	return nil
}
