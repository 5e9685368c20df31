package seasonpic

import (
	"image/color"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

func linear(v uint8) float64 {
	c := float64(v) / 255
	if c <= 0.04045 {
		return c / 12.92
	}
	return math.Pow((c+0.055)/1.055, 2.4)
}

// grey is how light a colour is without its colour.
func grey(c color.RGBA) float64 {
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

// hue is where a colour stands on the wheel, in degrees, and how much colour it has.
func hue(c color.RGBA) (degrees, strength float64) {
	r, g, b := float64(c.R), float64(c.G), float64(c.B)
	high, low := max(r, g, b), min(r, g, b)
	if high == low {
		return 0, 0
	}
	switch high {
	case r:
		degrees = 60 * math.Mod((g-b)/(high-low)+6, 6)
	case g:
		degrees = 60 * ((b-r)/(high-low) + 2)
	default:
		degrees = 60 * ((r-g)/(high-low) + 4)
	}
	return degrees, (high - low) / high
}

// seen is a colour to somebody without one kind of cone (Viénot 1999, for red and for green).
func seen(c color.RGBA, green bool) [3]float64 {
	r, g, b := linear(c.R), linear(c.G), linear(c.B)
	if green {
		return [3]float64{0.29275*r + 0.70725*g, 0.29275*r + 0.70725*g, -0.02234*r + 0.02234*g + b}
	}
	return [3]float64{0.11238*r + 0.88762*g, 0.11238*r + 0.88762*g, 0.00401*r - 0.00401*g + b}
}

// wrong says what is wrong with the colours of a picture.
func wrong(all []color.RGBA, rows []ink) (out []string) {
	for _, c := range all {
		if 1.05/(grey(c)+0.05) < 4.5 {
			out = append(out, "too light to be read as grey")
		}
		if h, s := hue(c); s > 0.35 && (h < 20 || h > 330 || h > 75 && h < 165) {
			out = append(out, "red or green")
		}
	}
	for i, a := range rows {
		b := rows[(i+1)%len(rows)]
		for _, green := range []bool{false, true} {
			x, y := seen(all[a], green), seen(all[b], green)
			if d := math.Hypot(x[0]-y[0], x[2]-y[2]); d < 0.05 {
				out = append(out, "neighbours look the same")
			}
		}
	}
	return out
}

func TestInksAreReadInGreyAndByEveryEye(t *testing.T) {
	rows := []ink{inkOf(0), inkOf(1), inkOf(2), inkOf(3)}
	for _, w := range wrong(inks(), rows) {
		t.Error(w)
	}
	for _, planted := range []color.RGBA{{0xe6, 0x9f, 0, 0xff}, {0xa0, 0x10, 0x10, 0xff}, {0x00, 0x60, 0x20, 0xff}, inks()[inkOchre]} {
		bad := slices.Clone(inks())
		bad[inkBlue] = planted
		if len(wrong(bad, rows)) == 0 {
			t.Errorf("planted violation passed: %v", planted)
		}
	}
	if len(inks())*shades+1 > 256 {
		t.Error("the inks do not fit into a palette")
	}
}

// Two marks never look the same once colour is gone: each has an outline of its own, and filled ones are filled.
func TestMarksDifferInShape(t *testing.T) {
	a, paths := alphabetOf(40), map[string]Mark{}
	for _, l := range legend() {
		f, _ := a.of(l.mark)
		if other, ok := paths[f.path()]; ok {
			t.Errorf("%v looks like %v", l.mark, other)
		}
		paths[f.path()] = l.mark
		if open := strings.Count(f.path(), "M") == 2; open != (l.mark == Below || l.mark == Silent) {
			t.Errorf("%v: hole %v", l.mark, open)
		}
	}
}

// The legend's words stand in both languages, and who hears the picture hears the same words.
func TestAltTellsWhatStandsOut(t *testing.T) {
	for _, lang := range prompts.Langs() {
		for mark, w := range words(lang) {
			if w == "" || strings.ContainsAny(w, "●◆◇○–\n") {
				t.Errorf("%s: mark %v is %q", lang, mark, w)
			}
		}
	}
	d := Data{Lang: prompts.Dutch, Rows: []Row{
		{Label: "Een", Status: "vaker", Marks: []Mark{NotAsked, NotAsked, Asked, NotAsked, NotAsked, NotAsked, TooFew}},
		{Label: "Twee", Marks: []Mark{Below, Below, Silent, Below, Below, Below, TooFew}},
		{Label: "Drie", Marks: []Mark{Below, Below, Below, Below, Below, Below, TooFew}},
	}}
	want := locale.Text(prompts.Dutch, "season.picture-alt") + `
Een, vaker: drie of meer, niet gevraagd, in ronde 1, 2, 4–6; drie of meer, wel gevraagd, in ronde 3.
Twee: gevraagd, minder dan drie, in ronde 3.
Drie: minder dan drie.
Te weinig, in ronde 7.`
	if got := d.alt(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	long := Row{Label: strings.Repeat("lang ", 20)}
	for i := range 24 {
		long.Marks = append(long.Marks, []Mark{NotAsked, Asked}[i%2])
	}
	many := Data{Lang: prompts.Dutch}
	for range 12 {
		many.Rows = append(many.Rows, long)
	}
	if got := many.alt(); len([]rune(got)) > maxAlt {
		t.Errorf("%d characters", len([]rune(got)))
	}
}

func BenchmarkPicture(b *testing.B) {
	row := Row{Label: "Wens van het bestuur en je eigen oordeel", Status: "terugkerend", Weight: Recurring}
	for i := range 24 {
		row.Marks = append(row.Marks, Mark(i%5))
	}
	d := Data{Lang: prompts.Dutch, Title: "Waar het bij ons schuurt", Rows: []Row{row, row, row, row, row}}
	for b.Loop() {
		if _, _, _, err := Picture(d); err != nil {
			b.Fatal(err)
		}
	}
}
