package seasonpic_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/weerklank/weerklank/bot/seasonpic"
	"github.com/weerklank/weerklank/prompts"
)

var update = flag.Bool("update", false, "write the golden pictures")

// show writes every PNG into a directory, to be looked at.
var show = flag.String("show", "", "a directory for the pictures")

// marks reads a row as the text version writes it.
func marks(s string) (out []seasonpic.Mark) {
	signs := map[rune]seasonpic.Mark{'●': seasonpic.NotAsked, '◆': seasonpic.Asked, '◇': seasonpic.Silent, '○': seasonpic.Below, '–': seasonpic.TooFew, '·': seasonpic.Other}
	for _, r := range s {
		if m, ok := signs[r]; ok {
			out = append(out, m)
		}
	}
	return out
}

func row(label, status string, weight seasonpic.Weight, signs string) seasonpic.Row {
	return seasonpic.Row{Label: label, Status: status, Weight: weight, Marks: marks(signs)}
}

// five are the five tensions of a season, with the signs given.
func five(status []string, signs ...string) (rows []seasonpic.Row) {
	for i, label := range []string{"Beleid en praktijk", "Maatwerk en gelijke behandeling", "Goed werk en vlot werk",
		"Wens van het bestuur en je eigen oordeel", "Vertrouwen op je vak en het gesprek aangaan"} {
		s := status[min(i, len(status)-1)]
		weight := seasonpic.Weight(max(0, slices.Index([]string{"niet zichtbaar", "genoemd", "terugkerend", "vaker"}, s)))
		rows = append(rows, row(label, s, weight, signs[min(i, len(signs)-1)]))
	}
	return rows
}

func shapes() map[string]seasonpic.Data {
	nl := func(rows ...seasonpic.Row) seasonpic.Data {
		return seasonpic.Data{Lang: prompts.Dutch, Title: "Waar het bij ons schuurt", Period: "Twaalf rondes, van september tot en met november", Rows: rows}
	}
	long := "Onafgebrokenverantwoordelijkheidsverdelingsoverleggroep en de wens om toch ook nog iets over te laten aan wie er morgen staat"
	leaves := func(d seasonpic.Data) seasonpic.Data {
		d.Purpose = "Iedereen veilig en vlot over het water"
		d.Rows = slices.Clone(d.Rows)
		for i := range d.Rows {
			d.Rows[i].Leaves = [][]seasonpic.Leaf{
				{{Pole: "Wat we samen hebben afgesproken", Text: "dan is het helder", Quote: true}, {Pole: "Wat hier en nu nodig is", Text: "dit past nergens in", Quote: true}},
				{{Pole: "Kijken naar deze persoon", Text: "beschermt mensen die net niet in een regel passen"}, {Pole: "Gelijke gevallen gelijk behandelen", Text: "beschermt mensen die rekenen op gelijke behandeling"}},
				{{Pole: "De tijd nemen die het werk vraagt", Text: "dan pas hoor je wat er echt speelt", Quote: true}, {Pole: "Op tijd zijn voor wie wacht", Text: "beschermt wie nog staat te wachten"}},
			}[i%3]
		}
		return d
	}
	out := map[string]seasonpic.Data{
		"five":          nl(five([]string{"terugkerend", "niet zichtbaar", "vaker", "genoemd", "niet zichtbaar"}, "○○○●◆–●○○○○○", "○◇○○○–○○◇○○○", "●●◆○○–●◆○●●○", "○○○○○–○○○◆○○", "○○○◇○–○○○○○◇")...),
		"quiet":         nl(five([]string{"niet zichtbaar"}, "○◇○○○–○○○○○○", "○○○○◇–○○○○○○")...),
		"one-sided":     nl(five([]string{"vaker", "niet zichtbaar"}, "●●◆●●–●◆●●●●", "○○○○○–○○○○○○")...),
		"empty":         nl(five([]string{""}, "")...),
		"all-recurring": nl(five([]string{"terugkerend"}, "○●◆●●–●◆○●●○")...),
		"long-labels":   nl(row(long, "niet zichtbaar", seasonpic.Unseen, "○●◆○○–"), row("Kort", "terugkerend", seasonpic.Recurring, "●●●○○–"), row(long, "", seasonpic.Mentioned, "◆○○○○–")),
		"one-round":     nl(five([]string{""}, "●", "◆", "◇", "○")...),
	}
	english := nl(five([]string{"niet zichtbaar"}, "○○○●◆–●○○○○○", "○◇○○○–○○◇○○○", "●●◆○○–●◆○●●○")...)
	english.Lang, english.Title, english.Period = prompts.English, "Where it chafes for us", "Twelve rounds, from September to November"
	for i, label := range []string{"Policy and practice", "Tailoring and equal treatment", "Good work and quick work", "The wish of the board and your own judgement", "Trusting your craft and having the conversation"} {
		english.Rows[i].Label, english.Rows[i].Status, english.Rows[i].Weight = label, "keeps coming back", seasonpic.Recurring
	}
	var twelve []seasonpic.Row
	for i := range 12 {
		r := five([]string{"genoemd"}, "○○○●◆–●○○○○○", "○◇○○○–○○◇○○○", "●●◆○○–●◆○●●○")[i%5]
		r.Label = []string{"", "Nog eens: "}[min(i/5, 1)] + r.Label
		twelve = append(twelve, r)
	}
	out["twelve-tensions"] = nl(twelve...)
	out["twenty-four-rounds"] = nl(five([]string{"vaker", "niet zichtbaar"}, "○○○●◆–●○○○○○●●◆○○–●◆○●●○", "○○○◇○–○○○○○◇○◇○○○–○○◇○○○")...)
	english.Purpose = "Everybody safely across, on time"
	for i := range english.Rows {
		english.Rows[i].Leaves = []seasonpic.Leaf{{Pole: "What we agreed together", Text: "then it is clear", Quote: true}, {Pole: "What is needed here and now", Text: "protects what cannot be seen on paper"}}
	}
	out["english"] = english
	for _, name := range []string{"five", "one-sided", "long-labels"} {
		out[name] = leaves(out[name])
	}
	return out
}

// Each shape of a season has its picture; read the difference before you write it.
func TestPictures(t *testing.T) {
	for name, d := range shapes() {
		svg, raw, alt, err := seasonpic.Picture(d)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", name+".svg")
		if *update {
			if err := os.WriteFile(path, svg, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(svg, want) {
			t.Errorf("%s differs from %s", name, path)
		}
		if *show != "" {
			if err := os.WriteFile(filepath.Join(*show, name+".png"), raw, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		sound(t, name, d, svg, raw, alt)
	}
}

// sound holds what every picture has to be.
func sound(t *testing.T, name string, d seasonpic.Data, svg, raw []byte, alt string) {
	t.Helper()
	again, rawAgain, altAgain, err := seasonpic.Picture(d)
	if err != nil || !bytes.Equal(svg, again) || !bytes.Equal(raw, rawAgain) || alt != altAgain {
		t.Errorf("%s: not the same twice (%v)", name, err)
	}
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if size := img.Bounds().Size(); size.X != 1080 || size.Y > 4000 || len(raw) > 200<<10 {
		t.Errorf("%s: %v, %d bytes", name, size, len(raw))
	}
	if b := img.Bounds(); !white(img, image.Rect(0, 0, b.Max.X, 24)) || !white(img, image.Rect(1080-24, 0, 1080, b.Max.Y)) || !white(img, image.Rect(0, b.Max.Y-24, b.Max.X, b.Max.Y)) {
		t.Errorf("%s: something stands in the margin", name)
	}
	if bytes.Contains(svg, []byte("<text")) || bytes.Contains(svg, []byte("font")) {
		t.Errorf("%s: letters that look different elsewhere", name)
	}
	var said strings.Builder
	for dec := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if c, ok := token.(xml.CharData); ok {
			said.Write(c)
			said.WriteByte(' ')
		}
	}
	all := strings.Join(strings.Fields(said.String()), " ")
	if !strings.Contains(all, d.Title) || !strings.Contains(all, strings.Join(strings.Fields(alt), " ")) {
		t.Errorf("%s: who hears it hears %q", name, all)
	}
	for _, r := range d.Rows {
		if len(r.Marks) > 0 && !strings.Contains(alt, r.Label) {
			t.Errorf("%s: nobody hears of %q", name, r.Label)
		}
	}
	if alt == "" || utf8.RuneCountInString(alt) > 2000 || strings.ContainsAny(alt, "●◆◇○%") {
		t.Errorf("%s: alt text:\n%s", name, alt)
	}
	if bytes.Contains(svg, []byte("http://")) && bytes.Count(svg, []byte("http")) > 1 {
		t.Errorf("%s: the picture points to a network", name)
	}
}

func white(img image.Image, r image.Rectangle) bool {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if r, g, b, _ := img.At(x, y).RGBA(); r+g+b < 3*0xffff {
				return false
			}
		}
	}
	return true
}

// A round in which a tension meant something else has a mark of its own, and a word in the legend where it occurs; too few
// answers are those of a round, for every tension.
func TestAnotherMark(t *testing.T) {
	d := seasonpic.Data{Lang: prompts.Dutch, Title: "Waar het bij ons schuurt", Rows: []seasonpic.Row{row("Een", "genoemd", seasonpic.Mentioned, "··–●"), row("Twee", "", seasonpic.Unseen, "○○–○")}}
	svg, _, alt, err := seasonpic.Picture(d)
	if err != nil {
		t.Fatal(err)
	}
	if want := "Een, genoemd: drie of meer, niet gevraagd, in ronde 4; toen anders, of niet op de lijst, in ronde 1, 2.\nTwee: minder dan drie.\nTe weinig, in ronde 3."; !strings.HasSuffix(alt, want) {
		t.Errorf("%s", alt)
	}
	d.Rows[0] = row("Een", "genoemd", seasonpic.Mentioned, "–○–●") // a mark of one row alone is no round with too few
	plain, _, alt, err := seasonpic.Picture(d)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(alt, "Te weinig, in ronde 3.") || strings.Contains(alt, "toen anders") || len(plain) >= len(svg) {
		t.Errorf("%d bytes, %d with the mark: %s", len(plain), len(svg), alt)
	}
}
