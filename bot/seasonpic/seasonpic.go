// Package seasonpic draws the overview of a season: tensions below each other, rounds beside each other, old to new. A
// picture is made of its data alone, says by shapes what it says, and needs neither colour nor a network.
package seasonpic

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// Mark is what one round says about one tension.
type Mark byte

// The marks, each with a shape of its own: filled says three or more, corners say asked.
const (
	TooFew   Mark = iota // no round with content
	Below                // fewer than three
	Silent               // asked, fewer than three
	Asked                // three or more, asked
	NotAsked             // three or more, not asked
	Other                // the tension was not on the list, or meant something else
)

// legend gives the marks in the order of the text version's legend, with the signs that stand for them there.
func legend() []struct {
	mark Mark
	sign string
} {
	return []struct {
		mark Mark
		sign string
	}{{NotAsked, "●"}, {Asked, "◆"}, {Silent, "◇"}, {Below, "○"}, {TooFew, "–"}, {Other, "·"}}
}

// shows says whether a mark belongs in the legend: the last one where it stands in a row.
func (d Data) shows(m Mark) bool {
	return m != Other || slices.ContainsFunc(d.Rows, func(r Row) bool { return slices.Contains(r.Marks, Other) })
}

// fewIn has TooFew for the rounds that are so for every tension.
func (d Data) fewIn() []Mark {
	few := make([]Mark, d.rounds())
	for _, r := range d.Rows {
		for i := range few {
			if i >= len(r.Marks) || r.Marks[i] != TooFew {
				few[i] = Below
			}
		}
	}
	return few
}

// Weight is how heavy the bar beside a tension is, in steps.
type Weight int

// The weights.
const (
	Unseen Weight = iota // grey, dotted
	Mentioned
	Recurring
	Often
)

// Row is one tension.
type Row struct {
	Label  string
	Status string // the word for Weight; may be empty
	Weight Weight
	Marks  []Mark // one a round, old to new
	Leaves []Leaf // none, or one for each pole
}

// Leaf is one pole of a tension: in words that somebody shared, or what it protects.
type Leaf struct {
	Pole  string
	Text  string
	Quote bool
}

// line is a leaf in one line.
func (l Leaf) line() string {
	if l.Quote {
		return l.Pole + ": “" + l.Text + "”"
	}
	return l.Pole + ": " + l.Text
}

// Data is all that a picture is made of. Its rows stand in the one fixed order and are never sorted.
type Data struct {
	Lang    prompts.Lang
	Title   string
	Period  string
	Purpose string // the team's own words for what its work is for; may be empty
	Rows    []Row
}

// maxAlt is how many characters the tightest platform takes for what a picture shows.
const maxAlt = 2000

// Picture draws a season and says in words what it shows. The same data give the same bytes. An error is one of the
// program's own fonts, which a test holds.
func Picture(d Data) (svg, png []byte, alt string, err error) {
	f, err := loadFaces()
	if err != nil {
		return nil, nil, "", err
	}
	alt = d.alt()
	s := lay(d, f)
	if png, err = s.png(f); err != nil {
		return nil, nil, "", err
	}
	return s.svg(f, d.Lang, d.Title, alt), png, alt, nil
}

// rounds is how many rounds the longest row has.
func (d Data) rounds() int {
	n := 0
	for _, r := range d.Rows {
		n = max(n, len(r.Marks))
	}
	return n
}

// words gives the legend's words for each mark.
func words(lang prompts.Lang) map[Mark]string {
	text := locale.Text(lang, "season.legend") + "\n" + locale.Text(lang, "season.legend-other")
	out := map[Mark]string{}
	for _, l := range legend() {
		_, rest, _ := strings.Cut(text, l.sign+" ")
		for _, other := range legend() {
			rest, _, _ = strings.Cut(rest, other.sign)
		}
		out[l.mark] = strings.TrimSpace(rest)
	}
	return out
}

// alt tells the picture to who does not see it: a line for each tension, with words in the place of signs. Where that is
// more than platforms take, the lines leave out the leaves, and then the rounds.
func (d Data) alt() string {
	if d.rounds() == 0 {
		return d.Title + ". " + locale.Text(d.Lang, "season.empty")
	}
	for _, most := range []struct{ rounds, leaves bool }{{true, true}, {true, false}, {false, false}} {
		lines := []string{locale.Text(d.Lang, "season.picture-alt")}
		if d.Purpose != "" {
			lines = append(lines, locale.Say(d.Lang, "season.picture-purpose", "purpose", d.Purpose))
		}
		for _, r := range d.Rows {
			var line strings.Builder
			line.WriteString(r.alt(d.Lang, most.rounds))
			if most.leaves {
				for _, l := range r.Leaves {
					line.WriteString(" " + strings.TrimRight(l.line(), ".") + ".")
				}
			}
			lines = append(lines, line.String())
		}
		if few := where(d.fewIn(), TooFew); few != "" {
			lines = append(lines, locale.Capital(locale.Say(d.Lang, "season.picture-rounds", "mark", words(d.Lang)[TooFew], "rounds", few))+".")
		}
		if all := strings.Join(lines, "\n"); utf8.RuneCountInString(all) <= maxAlt {
			return all
		}
	}
	return locale.Text(d.Lang, "season.picture-alt")
}

// alt is what stands out in one row: not where fewer than three chose a tension that nobody asked about.
func (r Row) alt(lang prompts.Lang, rounds bool) string {
	says := words(lang)
	head := r.Label
	if r.Status != "" {
		head += ", " + r.Status
	}
	var parts []string
	for _, l := range legend() {
		if l.mark == Below || l.mark == TooFew { // that is the same for every tension
			continue
		}
		if at := where(r.Marks, l.mark); at != "" && rounds {
			parts = append(parts, locale.Say(lang, "season.picture-rounds", "mark", says[l.mark], "rounds", at))
		} else if at != "" {
			parts = append(parts, says[l.mark])
		}
	}
	if len(parts) == 0 {
		parts = []string{says[Below]}
	}
	return head + ": " + strings.Join(parts, "; ") + "."
}

// where names the rounds that have a mark: "1, 3-5, 8".
func where(marks []Mark, m Mark) string {
	var out []string
	for i := 0; i < len(marks); i++ {
		if marks[i] != m {
			continue
		}
		from := i
		for i+1 < len(marks) && marks[i+1] == m {
			i++
		}
		switch i - from {
		case 0:
			out = append(out, strconv.Itoa(from+1))
		case 1:
			out = append(out, strconv.Itoa(from+1), strconv.Itoa(i+1))
		default:
			out = append(out, strconv.Itoa(from+1)+"–"+strconv.Itoa(i+1))
		}
	}
	return strings.Join(out, ", ")
}
