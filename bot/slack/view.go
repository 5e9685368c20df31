package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	api "github.com/slack-go/slack"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// The kinds of view. The callback_id of a view names its kind, so that one that is none of ours is seen at once.
const (
	stepForm    = "form"    // a bot.Form
	stepMessage = "message" // shows something; what it offers stands on it as buttons
	stepWaiting = "waiting" // stands there until there is something to show
	stepHome    = "home"    // the App Home
)

const callbackPrefix = "weerklank-"

// viewState is what a view carries in its private_metadata: what its submission or a press in it is about, and never whose
// it is.
type viewState struct {
	Version int          `json:"v"`
	Step    string       `json:"s"`
	Team    bot.TeamID   `json:"t,omitempty"` // the channel it was opened in; empty in a direct conversation
	Lang    prompts.Lang `json:"l"`
	Form    string       `json:"f,omitempty"`
	State   string       `json:"i,omitempty"` // of the form
	Fields  []fieldSpec  `json:"e,omitempty"`
	Extra   []string     `json:"x,omitempty"` // the verbs of the form's extra buttons
	Turn    int          `json:"c,omitempty"` // how often the form was shown anew in this view
	Key     string       `json:"k,omitempty"` // of the post whose button opened it
	Nonce   string       `json:"n"`
}

// bare is what views of one opening share.
func (s viewState) bare(step string, lang prompts.Lang) viewState {
	return viewState{Version: valueVersion, Step: step, Lang: lang, Team: s.Team, Key: s.Key, Nonce: s.Nonce, Turn: s.Turn}
}

// block is the block_id of a field, by which Slack knows its value and its error. Slack keeps what was entered in a block that
// a new view has too, whatever that view says: each turn has blocks of its own.
func (s viewState) block(field string) string { return "field-" + strconv.Itoa(s.Turn) + "-" + field }

// action is the action_id of a field.
func (s viewState) action(field string) string { return "value-" + strconv.Itoa(s.Turn) + "-" + field }

// fieldSpec is what is needed of a field to read its value. Which options it has is Slack's to know: it takes no others.
type fieldSpec struct {
	Name string        `json:"n"`
	Kind bot.FieldKind `json:"k"`
}

// readState reads a view's private_metadata back.
func readState(metadata string) (s viewState, err error) {
	err = strict(metadata, maxMetadata, &s)
	if err == nil && (s.Version != valueVersion || !slices.Contains([]string{stepForm, stepMessage, stepWaiting, stepHome}, s.Step) || s.Nonce == "" || s.Turn < 0) {
		err = errValue
	}
	if err != nil {
		return viewState{}, err
	}
	return s, nil
}

// formView is a form as a modal. Of st, Team, Key and Nonce are the caller's.
func formView(f *bot.Form, st viewState) (*api.ModalViewRequest, error) {
	say := sayer(f.Lang)
	st = st.bare(stepForm, f.Lang)
	st.Form, st.State, st.Fields, st.Extra = f.Name, f.State, specsOf(f), verbsOf(f)
	b := builder{key: st.Key}
	if err := b.add(withoutActions(f.Notice)); err != nil {
		return nil, err
	}
	if len(b.blocks) > 0 {
		b.blocks = append(b.blocks, &api.DividerBlock{Type: api.MBTDivider, BlockID: b.id()})
	}
	title, cut := shorten(f.Title, maxTitle)
	if cut {
		b.paragraph([]bot.Span{{Text: f.Title, Strong: true}})
	}
	if err := b.add(withoutActions(f.Intro)); err != nil {
		return nil, err
	}
	for _, field := range f.Fields {
		if err := b.field(field, st); err != nil {
			return nil, err
		}
	}
	if err := b.actions(f.Extra); err != nil {
		return nil, err
	}
	submit, _ := shorten(f.Submit, maxTitle)
	return asModal(st, b, title, submit, say("slack.close"))
}

// messageView is a modal that shows something.
func messageView(m bot.Message, st viewState) (*api.ModalViewRequest, error) {
	say := sayer(m.Lang)
	st = st.bare(stepMessage, m.Lang)
	b, title, blocks := builder{key: st.Key}, say("slack.title"), m.Blocks
	if len(blocks) > 1 && blocks[0].Kind == bot.BlockHeading { // a heading that fits is the title, and not said twice
		if short, cut := shorten(joined(blocks[0].Spans), maxTitle); !cut && short != "" {
			title, blocks = short, blocks[1:]
		}
	}
	if err := b.add(blocks); err != nil {
		return nil, err
	}
	return asModal(st, b, title, "", say("slack.close"))
}

// waitingView is opened before it is known what to show: the right to open a view lives three seconds.
func waitingView(lang prompts.Lang, st viewState) (*api.ModalViewRequest, error) {
	return bareView(lang, st, sayer(lang)("slack.waiting"))
}

// savingView stands in the place of a form that was acknowledged before its handler was done.
func savingView(lang prompts.Lang, st viewState) (*api.ModalViewRequest, error) {
	return bareView(lang, st, sayer(lang)("slack.saving"))
}

func bareView(lang prompts.Lang, st viewState, text string) (*api.ModalViewRequest, error) {
	st = st.bare(stepWaiting, lang)
	b := builder{}
	b.paragraph([]bot.Span{{Text: text}})
	return asModal(st, b, sayer(lang)("slack.title"), "", sayer(lang)("slack.close"))
}

// homeView is a message as App Home.
func homeView(m bot.Message, st viewState) (*api.HomeTabViewRequest, error) {
	st = st.bare(stepHome, m.Lang)
	b := builder{key: st.Key}
	if err := b.add(m.Blocks); err != nil {
		return nil, err
	}
	if len(b.blocks) == 0 {
		return nil, errEmpty
	}
	v := &api.HomeTabViewRequest{Type: api.VTHomeTab, Blocks: api.Blocks{BlockSet: b.blocks}, PrivateMetadata: compact(st), CallbackID: callbackPrefix + stepHome}
	_, err := readState(v.PrivateMetadata)
	return v, errors.Join(err, checkHome(v))
}

func asModal(st viewState, b builder, title, submit, shut string) (*api.ModalViewRequest, error) {
	if len(b.blocks) == 0 {
		return nil, errEmpty
	}
	v := &api.ModalViewRequest{
		Type: api.VTModal, Title: plainText(title), Close: plainText(shut), Blocks: api.Blocks{BlockSet: b.blocks},
		PrivateMetadata: compact(st), CallbackID: callbackPrefix + st.Step,
	}
	if submit != "" {
		v.Submit = plainText(submit)
	}
	_, err := readState(v.PrivateMetadata)
	return v, errors.Join(err, checkModal(v))
}

// withoutActions leaves buttons out of what stands above a form: there they would lose what was filled in.
func withoutActions(all []bot.Block) []bot.Block {
	return slices.DeleteFunc(slices.Clone(all), func(b bot.Block) bool { return b.Kind == bot.BlockActions })
}

// field is one input. What does not fit in it stands above it, whole.
func (b *builder) field(f bot.Field, st viewState) error {
	say := sayer(st.Lang)
	label := oneLine(visible(f.Label))
	if label == "" || f.Name == "" {
		return fmt.Errorf("slack: a form with field %q without name or label", f.Name)
	}
	value := ""
	if len(f.Value) > 0 {
		value = f.Value[0]
	}
	options, cut := optionsOf(f.Options)
	var element api.BlockElement
	switch f.Kind {
	case bot.FieldText, bot.FieldLine:
		value = visible(value)
		if f.Kind == bot.FieldLine {
			value = oneLine(value)
		}
		e := &api.PlainTextInputBlockElement{
			Type: api.METPlainTextInput, ActionID: st.action(f.Name), Multiline: f.Kind == bot.FieldText, MaxLength: maxInput,
		}
		if f.Max > 0 {
			e.MaxLength = min(f.Max, maxInput)
		}
		switch n := units(value); {
		case n <= maxInput: // Max counts characters, of which some are two units
			e.InitialValue, e.MaxLength = value, max(e.MaxLength, n)
		default:
			b.paragraph([]bot.Span{{Text: announced(label), Strong: true}, {Text: " " + say("slack.too-long")}})
			b.quote(value)
		}
		element = e
	case bot.FieldTick:
		yes := api.NewOptionBlockObject("yes", plainText(say("slack.tick")), nil)
		e := &api.CheckboxGroupsBlockElement{Type: api.METCheckboxGroups, ActionID: st.action(f.Name), Options: []*api.OptionBlockObject{yes}}
		if value == "yes" {
			e.InitialOptions = e.Options
		}
		element = e
	case bot.FieldOne:
		b.whole(label, f.Options, cut)
		chosen := chosenOf(options, f.Value[:min(1, len(f.Value))])
		if len(options) <= maxPicks && !cut {
			e := &api.RadioButtonsBlockElement{Type: api.METRadioButtons, ActionID: st.action(f.Name), Options: options}
			if len(chosen) > 0 {
				e.InitialOption = chosen[0]
			}
			element = e
			break
		}
		e := api.NewOptionsSelectBlockElement(api.OptTypeStatic, plainText(say("slack.choose")), st.action(f.Name), options...)
		if len(chosen) > 0 {
			e.InitialOption = chosen[0]
		}
		element = e
	case bot.FieldMany:
		b.whole(label, f.Options, cut)
		chosen := chosenOf(options, f.Value)
		if len(options) <= maxPicks {
			element = &api.CheckboxGroupsBlockElement{Type: api.METCheckboxGroups, ActionID: st.action(f.Name), Options: options, InitialOptions: chosen}
			break
		}
		e := api.NewOptionsMultiSelectBlockElement(api.MultiOptTypeStatic, plainText(say("slack.choose")), st.action(f.Name), options...)
		e.InitialOptions = chosen
		element = e
	default:
		return fmt.Errorf("slack: a form with a field of kind %q", f.Kind)
	}
	var hint *api.TextBlockObject
	if h := strings.TrimSpace(visible(f.Hint)); h != "" {
		hint = plainText(h)
	}
	b.blocks = append(b.blocks, api.NewInputBlock(st.block(f.Name), plainText(label), hint, element).WithOptional(!f.Required))
	return nil
}

// whole lists the choices of a field whose labels are cut.
func (b *builder) whole(label string, options []bot.Option, cut bool) {
	if !cut {
		return
	}
	var all []bot.Span
	for _, o := range options {
		all = append(all, bot.Span{Text: o.Label})
	}
	b.paragraph([]bot.Span{{Text: label, Strong: true}})
	b.list(all)
}

// optionsOf says whether a label had to be cut.
func optionsOf(all []bot.Option) (out []*api.OptionBlockObject, cut bool) {
	for i, o := range all {
		label, short := shorten(o.Label, maxOption)
		if short { // with its number in the list above
			label, _ = shorten(fmt.Sprintf("%d. %s", i+1, o.Label), maxOption)
		}
		cut = cut || short
		out = append(out, api.NewOptionBlockObject(o.Value, plainText(label), nil))
	}
	return out, cut
}

func chosenOf(options []*api.OptionBlockObject, values []string) (out []*api.OptionBlockObject) {
	for _, o := range options {
		if slices.Contains(values, o.Value) {
			out = append(out, o)
		}
	}
	return out
}

// values reads what was entered in the form, of which s is the state: what is none of its fields, or of another type, is
// dropped. raw is the view's state as Slack sends it. A line that was left empty is there and empty.
func (s viewState) values(raw json.RawMessage) map[string][]string {
	var state struct {
		Values json.RawMessage `json:"values"`
	}
	var blocks map[string]json.RawMessage
	if json.Unmarshal(raw, &state) != nil || json.Unmarshal(state.Values, &blocks) != nil {
		blocks = nil
	}
	out := map[string][]string{}
	for _, f := range s.Fields {
		var actions map[string]json.RawMessage
		if json.Unmarshal(blocks[s.block(f.Name)], &actions) != nil {
			actions = nil
		}
		raw := actions[s.action(f.Name)]
		switch f.Kind {
		case bot.FieldText, bot.FieldLine:
			var e struct {
				Value *string `json:"value"`
			}
			v := ""
			if json.Unmarshal(raw, &e) == nil && e.Value != nil {
				v = *e.Value
			}
			if f.Kind == bot.FieldLine {
				v = oneLine(v)
			}
			out[f.Name] = []string{v}
		case bot.FieldOne:
			var e struct {
				One *picked `json:"selected_option"`
			}
			if json.Unmarshal(raw, &e) == nil && e.One != nil && e.One.Value != "" {
				out[f.Name] = []string{e.One.Value}
			}
		case bot.FieldMany, bot.FieldTick:
			var e struct {
				Many []picked `json:"selected_options"`
			}
			if json.Unmarshal(raw, &e) != nil {
				continue
			}
			for _, p := range e.Many {
				if v := p.Value; v != "" && !slices.Contains(out[f.Name], v) && (f.Kind == bot.FieldMany || v == "yes") {
					out[f.Name] = append(out[f.Name], v)
				}
			}
		}
	}
	return out
}

type picked struct {
	Value string `json:"value"`
}

// answerView is the view that shows r where a form stands; nil if r says nothing. sent is the state of that form.
func answerView(r bot.Response, sent viewState) (*api.ModalViewRequest, error) {
	sent.Turn++
	if r.Form != nil {
		return formView(withErrors(r.Form, r.Errors), sent)
	}
	m := bot.Message{Lang: sent.Lang}
	if r.Message != nil {
		m = *r.Message
	}
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(r.Errors)) {
		wrong = append(wrong, r.Errors[name])
	}
	if len(wrong) > 0 {
		m.Blocks = append([]bot.Block{bot.List(wrong...)}, m.Blocks...)
	}
	if len(m.Blocks) == 0 {
		return nil, nil
	}
	return messageView(m, sent)
}

// submitAnswer is what to acknowledge the submission of a form with. Errors that belong to fields stand at them; where there
// is more to say, the view is made anew with what was filled in. A form that has nothing more to say closes.
func submitAnswer(r bot.Response, sent viewState) (*api.ViewSubmissionResponse, error) {
	if atFields(r, sent) {
		errs := map[string]string{}
		for name, text := range r.Errors {
			errs[sent.block(name)] = visible(text)
		}
		return api.NewErrorsViewSubmissionResponse(errs), nil
	}
	v, err := answerView(r, sent)
	if err != nil || v == nil {
		return api.NewClearViewSubmissionResponse(), err
	}
	return api.NewUpdateViewSubmissionResponse(v), nil
}

// atFields says whether errors at the fields of the form that was sent are all there is to show.
func atFields(r bot.Response, sent viewState) bool {
	for name, text := range r.Errors {
		if text == "" || !slices.ContainsFunc(sent.Fields, func(f fieldSpec) bool { return f.Name == name }) {
			return false
		}
	}
	f := r.Form
	same := f == nil || f.Name == sent.Form && f.State == sent.State && len(f.Notice) == 0 && slices.Equal(specsOf(f), sent.Fields) && slices.Equal(verbsOf(f), sent.Extra)
	return len(r.Errors) > 0 && r.Message == nil && same
}

func verbsOf(f *bot.Form) (out []string) {
	for _, a := range f.Extra {
		out = append(out, a.Do)
	}
	return out
}

func specsOf(f *bot.Form) (out []fieldSpec) {
	for _, field := range f.Fields {
		out = append(out, fieldSpec{Name: field.Name, Kind: field.Kind})
	}
	return out
}

// announced is a label before what is said about it.
func announced(label string) string {
	if strings.HasSuffix(label, "?") || strings.HasSuffix(label, ".") {
		return label
	}
	return label + ":"
}

// withErrors puts what is wrong above a form that is shown anew, where no error can stand at its field.
func withErrors(f *bot.Form, wrong map[string]string) *bot.Form {
	if len(wrong) == 0 {
		return f
	}
	var list []string
	for _, field := range f.Fields {
		if w := wrong[field.Name]; w != "" {
			list = append(list, announced(field.Label)+" "+w)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wrong)) {
		if !slices.ContainsFunc(f.Fields, func(field bot.Field) bool { return field.Name == name }) {
			list = append(list, wrong[name])
		}
	}
	shown := *f
	shown.Notice = append(slices.Clone(f.Notice), bot.Text(bot.Span{Text: sayer(f.Lang)("slack.wrong"), Strong: true}), bot.List(list...))
	return &shown
}
