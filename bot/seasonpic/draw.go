package seasonpic

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
	"golang.org/x/text/unicode/norm"

	"github.com/weerklank/weerklank/prompts"
)

// faces are the two fonts in the program, Go Regular and Go Bold. They are for one picture at a time.
type faces struct {
	fonts [2]*sfnt.Font
	buf   sfnt.Buffer
	wide  [2]map[rune]float64 // widths at size 1
	drawn [2]map[rune][]move  // outlines at size 1
}

func loadFaces() (*faces, error) {
	f := &faces{wide: [2]map[rune]float64{{}, {}}, drawn: [2]map[rune][]move{{}, {}}}
	for i, raw := range [][]byte{goregular.TTF, gobold.TTF} {
		var err error
		if f.fonts[i], err = sfnt.Parse(raw); err != nil {
			return nil, fmt.Errorf("read the program's font: %w", err)
		}
	}
	return f, nil
}

func weight(bold bool) int {
	if bold {
		return 1
	}
	return 0
}

// precise is the size at which glyphs are measured; what is drawn is scaled from it.
const precise = 1024

// width measures a line.
func (f *faces) width(text string, size float64, bold bool) float64 {
	w := weight(bold)
	sum := 0.0
	for _, r := range norm.NFC.String(text) {
		wide, ok := f.wide[w][r]
		if !ok {
			if glyph, err := f.fonts[w].GlyphIndex(&f.buf, r); err == nil {
				if a, err := f.fonts[w].GlyphAdvance(&f.buf, glyph, fixed.I(precise), font.HintingNone); err == nil {
					wide = float64(a) / 64 / precise
				}
			}
			f.wide[w][r] = wide
		}
		sum += wide
	}
	return sum * size
}

// glyph is the outline of a character, of size 1, from where it begins.
func (f *faces) glyph(r rune, bold bool) []move {
	w := weight(bold)
	moves, ok := f.drawn[w][r]
	if !ok {
		moves = f.outline(r, w)
		f.drawn[w][r] = moves
	}
	return moves
}

func (f *faces) outline(r rune, w int) (moves []move) {
	at, err := f.fonts[w].GlyphIndex(&f.buf, r)
	if err != nil {
		return nil
	}
	segments, err := f.fonts[w].LoadGlyph(&f.buf, at, fixed.I(precise), nil)
	if err != nil {
		return nil
	}
	point := func(p fixed.Point26_6) [2]float64 {
		return [2]float64{float64(p.X) / 64 / precise, float64(p.Y) / 64 / precise}
	}
	for _, s := range segments {
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			moves = append(moves, move{kind: 'M', points: [3][2]float64{point(s.Args[0])}})
		case sfnt.SegmentOpLineTo:
			moves = append(moves, move{kind: 'L', points: [3][2]float64{point(s.Args[0])}})
		case sfnt.SegmentOpQuadTo:
			moves = append(moves, move{kind: 'Q', points: [3][2]float64{point(s.Args[0]), point(s.Args[1])}})
		case sfnt.SegmentOpCubeTo:
			moves = append(moves, move{kind: 'C', points: [3][2]float64{point(s.Args[0]), point(s.Args[1]), point(s.Args[2])}})
		}
	}
	return moves
}

// shades is how many steps lie between white and an ink: few enough that all inks share one palette.
const shades = 16

// canvas is the picture in a palette: white, then the shades of each ink.
type canvas struct {
	img  *image.Paletted
	fill vector.Rasterizer
	mask *image.Alpha
}

func palette() color.Palette {
	p := color.Palette{color.RGBA{0xff, 0xff, 0xff, 0xff}}
	for _, c := range inks() {
		for n := 1; n <= shades; n++ {
			mix := func(v uint8) uint8 { return uint8(0xff - (0xff-int(v))*n/shades) }
			p = append(p, color.RGBA{mix(c.R), mix(c.G), mix(c.B), 0xff})
		}
	}
	return p
}

// png draws the scene as a picture of a few colours.
func (s *scene) png(f *faces) ([]byte, error) {
	c := &canvas{img: image.NewPaletted(image.Rect(0, 0, width, int(s.height)), palette()), mask: &image.Alpha{}}
	for _, p := range s.pieces {
		if p.figure != nil {
			c.paint(p.figure.moves, p.ink, p.x, p.y, 1)
			continue
		}
		x := p.x
		for _, r := range norm.NFC.String(p.text) {
			c.paint(f.glyph(r, p.bold), p.ink, x, p.y, p.size)
			x += f.width(string(r), p.size, p.bold)
		}
	}
	var out bytes.Buffer
	err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, c.img) // hardly larger, three times as fast
	return out.Bytes(), err
}

// paint fills an outline.
func (c *canvas) paint(moves []move, i ink, x, y, scale float64) {
	low, high := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, m := range moves {
		for _, p := range m.points[:m.count()] {
			low = [2]float64{min(low[0], p[0]), min(low[1], p[1])}
			high = [2]float64{max(high[0], p[0]), max(high[1], p[1])}
		}
	}
	if low[0] > high[0] { // a space
		return
	}
	left, top := math.Floor(x+low[0]*scale), math.Floor(y+low[1]*scale)
	w, h := int(math.Ceil(x+high[0]*scale)-left)+1, int(math.Ceil(y+high[1]*scale)-top)+1
	c.fill.Reset(w, h)
	at := func(p [2]float64) (float32, float32) {
		return float32(x + p[0]*scale - left), float32(y + p[1]*scale - top)
	}
	for _, m := range moves {
		ax, ay := at(m.points[0])
		bx, by := at(m.points[1])
		cx, cy := at(m.points[2])
		switch m.kind {
		case 'M':
			c.fill.MoveTo(ax, ay)
		case 'L':
			c.fill.LineTo(ax, ay)
		case 'Q':
			c.fill.QuadTo(ax, ay, bx, by)
		case 'C':
			c.fill.CubeTo(ax, ay, bx, by, cx, cy)
		case 'Z':
			c.fill.ClosePath()
		}
	}
	if need := w * h; len(c.mask.Pix) < need {
		c.mask.Pix = make([]byte, need)
	}
	c.mask.Rect, c.mask.Stride = image.Rect(0, 0, w, h), w
	clear(c.mask.Pix[:w*h])
	c.fill.Draw(c.mask, c.mask.Rect, image.Opaque, image.Point{})
	for dy := range h {
		for dx := range w {
			px := image.Pt(int(left)+dx, int(top)+dy)
			if n := (int(c.mask.Pix[dy*w+dx])*shades + 127) / 255; n > 0 && px.In(c.img.Rect) {
				at := &c.img.Pix[c.img.PixOffset(px.X, px.Y)]
				*at = max(*at, uint8(int(i)*shades+n))
			}
		}
	}
}

// count is how many points a move has.
func (m move) count() int { return map[byte]int{'M': 1, 'L': 1, 'Q': 2, 'C': 3}[m.kind] }

// unit is the size at which the outlines of letters are written: whole numbers there are fine enough at every size.
const unit = 1000

// letter is the name of a character's outline.
func letter(r rune, bold bool) string {
	return fmt.Sprintf("%c%x", "rb"[weight(bold)], r)
}

// svg writes the scene. Its letters are outlines, each once, so that it looks the same everywhere; whoever hears it hears alt.
func (s *scene) svg(f *faces, lang prompts.Lang, title, alt string) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" lang="%s" aria-labelledby="title desc">`,
		width, int(s.height), width, int(s.height), lang)
	fmt.Fprintf(&out, "\n<title id=\"title\">%s</title>\n<desc id=\"desc\">%s</desc>\n", escape(title), escape(alt))
	out.WriteString("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n<defs>\n")
	known := map[string]bool{}
	for _, p := range s.pieces {
		if g := p.figure; g != nil && g.name != "" && !known[g.name] {
			known[g.name] = true
			fmt.Fprintf(&out, "<path id=\"%s\" d=\"%s\"/>\n", g.name, g.path())
		}
		for _, r := range norm.NFC.String(p.text) {
			name := letter(r, p.bold)
			if known[name] {
				continue
			}
			known[name] = true
			moves := slices.Clone(f.glyph(r, p.bold))
			for i := range moves {
				for k := range moves[i].points {
					for c := range moves[i].points[k] {
						moves[i].points[k][c] = math.Round(moves[i].points[k][c] * unit)
					}
				}
			}
			if len(moves) > 0 {
				fmt.Fprintf(&out, "<path id=\"%s\" d=\"%s\"/>\n", name, (&figure{moves: moves}).path())
			}
		}
	}
	out.WriteString("</defs>\n")
	for _, p := range s.pieces {
		c := inks()[p.ink]
		hex := fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B)
		switch {
		case p.figure == nil:
			fmt.Fprintf(&out, "<g fill=\"%s\" transform=\"translate(%s %s) scale(%s)\">", hex, short(p.x), short(p.y), strconv.FormatFloat(p.size/unit, 'f', -1, 64))
			x := 0.0
			for _, r := range norm.NFC.String(p.text) {
				if len(f.glyph(r, p.bold)) > 0 {
					fmt.Fprintf(&out, "<use href=\"#%s\" x=\"%s\"/>", letter(r, p.bold), short(math.Round(x)))
				}
				x += f.width(string(r), unit, p.bold)
			}
			out.WriteString("</g>\n")
		case p.figure.name != "":
			fmt.Fprintf(&out, "<use href=\"#%s\" x=\"%s\" y=\"%s\" fill=\"%s\"/>\n", p.figure.name, short(p.x), short(p.y), hex)
		default:
			fmt.Fprintf(&out, "<path transform=\"translate(%s %s)\" d=\"%s\" fill=\"%s\"/>\n", short(p.x), short(p.y), p.figure.path(), hex)
		}
	}
	out.WriteString("</svg>\n")
	return out.Bytes()
}

func escape(s string) string {
	var out strings.Builder
	_ = xml.EscapeText(&out, []byte(s)) // a strings.Builder takes everything
	return out.String()
}
