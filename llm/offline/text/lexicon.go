package text

import (
	"strings"

	"github.com/contextvault/contextvault/vault"
)

// KnownDefinition is a definition that many agents use.
type KnownDefinition struct {
	Name        string
	DisplayName string
	Type        vault.ValueType
	Prompt      string
	Examples    string // separated by "; "
	PII         bool
	phrases     string // other names, separated by commas; the name and display name are added
	Kind        Kind   // form of a value; KindAuto: by the type
}

// knownDefinitions are the entries of the lexicon. A phrase belongs to one definition only; a test checks it.
var knownDefinitions = []KnownDefinition{
	{
		"date_of_birth", "Date of birth", vault.TypeDate, "What is your date of birth?", "1990-03-17; 17 March 1990", true,
		"birth date, birthdate, birthday, dob, d.o.b., date of your birth, day of birth", KindAuto,
	},
	{"age", "Age", vault.TypeNumber, "How old are you?", "34; I am 34 years old", true, "age in years", KindAge},
	{
		"email", "Email address", vault.TypeEmail, "What is your email address?", "jane@example.com", true,
		"e-mail, e-mail address, mail address, email id, contact email, contact e-mail", KindAuto,
	},
	{
		"phone", "Phone number", vault.TypePhone, "What is your phone number, with its country code?",
		"+44 20 7946 0958", true,
		`telephone number, telephone, mobile number, mobile, mobile phone, mobile phone number, cell, cell phone,
			cell number, cell phone number, cellphone, contact number, contact phone, contact phone number,
			phone no, tel, callback number`, KindAuto,
	},
	{
		"full_name", "Full name", vault.TypeString, "What is your full name?", "Jane Doe", true,
		"name, complete name, first and last name, customer name, name and surname", KindPerson,
	},
	{
		"legal_name", "Legal name", vault.TypeString, "What is your full legal name, as on your identity document?",
		"Jane Mary Doe", true,
		"full legal name, name as on the id, official name, name on your passport", KindPerson,
	},
	{
		"first_name", "First name", vault.TypeString, "What is your first name?", "Jane", true,
		"given name, forename", KindFirstName,
	},
	{
		"last_name", "Last name", vault.TypeString, "What is your last name?", "Doe", true,
		"surname, family name", KindLastName,
	},
	{
		"company_name", "Company name", vault.TypeString, "What is the name of your company?", "Example Ltd", false,
		`company, employer, employer name, name of the company, business name, organisation name,
			organization name`, KindAuto,
	},
	{
		"job_title", "Job title", vault.TypeString, "What is your job title?", "Engineer", false,
		"occupation, profession, position at work", KindAuto,
	},
	{
		"country", "Country of residence", vault.TypeString, "Which country do you live in?", "Germany", false,
		"residence country, home country, country they live in, country you live in", KindCountry,
	},
	{
		"nationality", "Nationality", vault.TypeString, "What is your nationality?", "German", true,
		"citizenship", KindAuto,
	},
	{
		"city", "City", vault.TypeString, "Which city do you live in?", "Hamburg", false,
		"town, home city, home town, hometown", KindPlace,
	},
	{
		"address",
		"Postal address",
		vault.TypeString,
		"What is your postal address?",
		"1 Example Street, 20095 Hamburg",
		true,
		`home address, street address, residential address, mailing address, current address, place of residence`,
		KindAddress,
	},
	{
		"shipping_address", "Shipping address", vault.TypeString, "Which address should we ship to?",
		"1 Example Street, 20095 Hamburg", true,
		"delivery address, address for delivery, address to ship to, ship-to address", KindAddress,
	},
	{
		"billing_address", "Billing address", vault.TypeString, "What is your billing address?",
		"1 Example Street, 20095 Hamburg", true,
		"invoice address", KindAddress,
	},
	{
		"postal_code", "Postal code", vault.TypeString, "What is your postal code?", "20095; SW1A 1AA", true,
		"postcode, post code, zip code, zip, zipcode", KindIdentifier,
	},
	{
		"order_number", "Order number", vault.TypeString, "What is your order number?", "A-10293", false,
		"order id, order no, order reference, order ref, purchase order number, order code", KindIdentifier,
	},
	{
		"invoice_number", "Invoice number", vault.TypeString, "What is the invoice number?", "INV-2041", false,
		"invoice id, invoice no, invoice reference", KindIdentifier,
	},
	{
		"booking_reference", "Booking reference", vault.TypeString, "What is your booking reference?", "X7PQ2K", false,
		`booking number, booking code, booking id, reservation number, reservation code, confirmation number,
			confirmation code, pnr`, KindIdentifier,
	},
	{
		"customer_number", "Customer number", vault.TypeString, "What is your customer number?", "482910", false,
		"customer id, client number, customer no", KindIdentifier,
	},
	{
		"account_number", "Account number", vault.TypeString, "What is your account number?", "12345678", true,
		"account no, bank account number", KindIdentifier,
	},
	{
		"iban", "IBAN", vault.TypeString, "What is your IBAN?", "DE89 3704 0044 0532 0130 00", true,
		"international bank account number", KindIdentifier,
	},
	{
		"policy_number", "Policy number", vault.TypeString, "What is your policy number?", "P-778120", false,
		"insurance number, insurance policy number, policy id", KindIdentifier,
	},
	{
		"membership_number", "Membership number", vault.TypeString, "What is your membership number?", "M-10293", false,
		"member number, member id, membership id, loyalty number, loyalty card number", KindIdentifier,
	},
	{
		"tracking_number", "Tracking number", vault.TypeString, "What is the tracking number?", "1Z999AA10123456784", false,
		"tracking id, tracking code, parcel number", KindIdentifier,
	},
	{
		"ticket_number", "Ticket number", vault.TypeString, "What is your ticket number?", "T-5521", false,
		"case number, case id, ticket id, support ticket number", KindIdentifier,
	},
	{
		"serial_number", "Serial number", vault.TypeString, "What is the serial number of your device?",
		"SN-0042-77", false,
		"serial no, device serial number", KindIdentifier,
	},
	{
		"passport_number", "Passport number", vault.TypeString, "What is your passport number?", "C01X00T47", true,
		"passport no, passport id", KindIdentifier,
	},
	{
		"national_id", "National ID number", vault.TypeString, "What is your national ID number?", "X0123456", true,
		`id number, identity number, id card number, identity card number, national identity number,
			identification number`, KindIdentifier,
	},
	{
		"social_security_number", "Social security number", vault.TypeString, "What is your social security number?",
		"078-05-1120", true,
		"ssn", KindIdentifier,
	},
	{
		"tax_id", "Tax ID", vault.TypeString, "What is your tax identification number?", "12 345 678 901", true,
		"tax number, tax identification number, tin, vat number, vat id", KindIdentifier,
	},
	{
		"drivers_license_number", "Driver's license number", vault.TypeString, "What is your driver's license number?",
		"D1234567", true,
		`driver's license, driver's licence, driving licence, driving license, driving licence number,
			driver's licence number, driver license number`, KindIdentifier,
	},
	{
		"license_plate", "License plate", vault.TypeString, "What is the license plate of your car?", "HH-AB 123", true,
		"licence plate, number plate, plate number, registration plate, vehicle registration number", KindIdentifier,
	},
	{
		"income", "Annual income", vault.TypeNumber, "What is your annual income?", "54000", true,
		"yearly income, salary, annual salary, household income, gross income, net income, earnings", KindAuto,
	},
	{
		"employment_status", "Employment status", vault.TypeString, "What is your employment status?",
		"employed; self-employed; student", true,
		"", KindAuto,
	},
	{
		"marital_status", "Marital status", vault.TypeString, "What is your marital status?", "married; single", true,
		"", KindAuto,
	},
	{"gender", "Gender", vault.TypeString, "What is your gender?", "female; male; non-binary", true, "", KindAuto},
	{"budget", "Budget", vault.TypeNumber, "What is your budget?", "1500", false, "", KindAuto},
	{
		"preferred_language", "Preferred language", vault.TypeString, "Which language do you prefer?", "English", false,
		"language, language preference", KindAuto,
	},
	{
		"preferred_contact_method", "Preferred contact method", vault.TypeString, "How would you like to be contacted?",
		"email; phone", false,
		"preferred channel, contact method, preferred contact channel", KindAuto,
	},
	{
		"time_zone", "Time zone", vault.TypeString, "Which time zone are you in?", "Europe/Berlin", false,
		"timezone", KindAuto,
	},
	{
		"website", "Website", vault.TypeURL, "What is the address of your website?", "https://example.com", false,
		"website address, web site, homepage, website url", KindAuto,
	},
	{
		"delivery_date", "Delivery date", vault.TypeDate, "On which date should we deliver?", "2030-05-17", false,
		"preferred delivery date, date of delivery", KindAuto,
	},
	{
		"appointment_date", "Appointment date", vault.TypeDate, "On which date would you like your appointment?",
		"2030-05-17", false,
		"date of the appointment, preferred appointment date", KindAuto,
	},
	{
		"departure_date", "Departure date", vault.TypeDate, "On which date do you leave?", "2030-05-17", false,
		"date of departure", KindAuto,
	},
	{
		"travel_date", "Travel date", vault.TypeDate, "On which date do you travel?", "2030-05-17", false,
		"date of travel", KindAuto,
	},
	{
		"return_date", "Return date", vault.TypeDate, "On which date do you return?", "2030-05-24", false,
		"date of return", KindAuto,
	},
	{
		"check_in_date", "Check-in date", vault.TypeDate, "On which date do you check in?", "2030-05-17", false,
		"arrival date, date of arrival, check-in", KindAuto,
	},
	{
		"check_out_date", "Check-out date", vault.TypeDate, "On which date do you check out?", "2030-05-24", false,
		"check-out", KindAuto,
	},
	{
		"purchase_date", "Purchase date", vault.TypeDate, "When did you buy it?", "2030-05-17", false,
		"date of purchase", KindAuto,
	},
	{
		"party_size", "Party size", vault.TypeNumber, "How many people are you?", "4", false,
		"number of people, number of persons, group size, number of participants", KindAuto,
	},
	{
		"number_of_guests", "Number of guests", vault.TypeNumber, "How many guests are you?", "2", false,
		"guest count", KindAuto,
	},
	{
		"start_date", "Start date", vault.TypeDate, "On which date does it start?", "2030-05-17", false,
		"starting date, date of the start, first day, beginning date", KindAuto,
	},
	{
		"end_date", "End date", vault.TypeDate, "On which date does it end?", "2030-05-24", false,
		"ending date, date of the end, last day, final day", KindAuto,
	},
	{
		"emergency_contact", "Emergency contact", vault.TypeString, "Who should we contact in an emergency?",
		"John Doe", true,
		"", KindPerson,
	},
	{
		"newsletter_consent", "Newsletter consent", vault.TypeBoolean, "Would you like to receive our newsletter?",
		"yes; no", false,
		"newsletter opt-in, marketing consent, consent to marketing", KindAuto,
	},
	{
		"terms_accepted", "Terms accepted", vault.TypeBoolean, "Do you accept our terms and conditions?", "yes; no", false,
		"acceptance of the terms, consent to the terms", KindAuto,
	},
}

// Kind is the form of a value in natural language.
type Kind int

const (
	KindAuto Kind = iota // decided by type and name
	KindEmail
	KindPhone
	KindURL
	KindDate
	KindDatetime
	KindTime
	KindNumber
	KindAge
	KindMoney
	KindBoolean
	KindChoice     // one of the allowed values
	KindIdentifier // letters and digits, at least one digit
	KindPerson
	KindFirstName
	KindLastName
	KindCountry
	KindPlace
	KindAddress
	KindFree // any words
	KindNone // never read from a conversation
)

// Lexicon finds known definitions by their names.
var Lexicon = newPhraseIndex()

// phraseIndex maps a phrase, as folded words joined by blanks, to the index of a known definition.
type phraseIndex struct {
	byPhrase map[string]int
	longest  int // number of words of the longest phrase
}

func newPhraseIndex() phraseIndex {
	p := phraseIndex{byPhrase: map[string]int{}}
	for i, f := range knownDefinitions {
		for _, phrase := range f.AllPhrases() {
			if _, taken := p.byPhrase[phrase]; !taken {
				p.byPhrase[phrase] = i
			}
			p.longest = max(p.longest, strings.Count(phrase, " ")+1)
		}
	}
	return p
}

// AllPhrases returns every name of the definition, as folded words joined by blanks.
func (f KnownDefinition) AllPhrases() []string {
	list := []string{Phrase(f.Name), Phrase(f.DisplayName)}
	for phrase := range strings.SplitSeq(f.phrases, ",") {
		if p := Phrase(phrase); p != "" {
			list = append(list, p)
		}
	}
	return list
}

// Phrase returns the folded words of a name or phrase, joined by blanks.
func Phrase(s string) string {
	return strings.Join(Words(strings.ReplaceAll(s, "_", " ")), " ")
}

// Find returns the known definition with that name.
func (p phraseIndex) Find(phrase string) (KnownDefinition, bool) {
	i, ok := p.byPhrase[Phrase(phrase)]
	if !ok {
		return KnownDefinition{}, false
	}
	return knownDefinitions[i], true
}

// At returns the known definition named from token i on, and the number of tokens of the name, 0 for none. The
// longest name wins.
func (p phraseIndex) At(tokens []Token, i int) (def KnownDefinition, n int) {
	for n := min(p.longest, len(tokens)-i); n > 0; n-- {
		parts := make([]string, n)
		for k := range parts {
			parts[k] = tokens[i+k].Word
		}
		if at, ok := p.byPhrase[strings.Join(parts, " ")]; ok {
			return knownDefinitions[at], n
		}
		parts[n-1] = Singular(parts[n-1])
		if at, ok := p.byPhrase[strings.Join(parts, " ")]; ok {
			return knownDefinitions[at], n
		}
	}
	return KnownDefinition{}, 0
}

// MustFind returns the known definition with that identifier. It panics if there is none.
func MustFind(name string) KnownDefinition {
	for _, f := range knownDefinitions {
		if f.Name == name {
			return f
		}
	}
	panic("no known definition " + name)
}
