package llm

import (
	"strings"

	"github.com/contextvault/contextvault/vault"
)

// knownField is a field that occurs in the scenarios of many designers.
type knownField struct {
	name     string
	display  string
	typ      vault.ValueType
	prompt   string
	examples string // separated by "; "
	pii      bool
	phrases  string // how texts and people call it, separated by commas; the name and the display name are added
	kind     kind   // how a value looks in a conversation; kindAuto: by the type
}

const (
	tString  = vault.TypeString
	tNumber  = vault.TypeNumber
	tBoolean = vault.TypeBoolean
	tDate    = vault.TypeDate
	tEmail   = vault.TypeEmail
	tPhone   = vault.TypePhone
	tURL     = vault.TypeURL
)

// knownFields is the lexicon of the offline model. A phrase belongs to one field only (a test checks it).
var knownFields = []knownField{
	{"date_of_birth", "Date of birth", tDate, "What is your date of birth?", "1990-03-17; 17 March 1990", true,
		"birth date, birthdate, birthday, dob, d.o.b., date of your birth, day of birth", kindAuto},
	{"age", "Age", tNumber, "How old are you?", "34; I am 34 years old", true, "age in years", kindAge},
	{"email", "Email address", tEmail, "What is your email address?", "jane@example.com", true,
		"e-mail, e-mail address, mail address, email id, contact email, contact e-mail", kindAuto},
	{"phone", "Phone number", tPhone, "What is your phone number, with its country code?", "+44 20 7946 0958", true,
		"telephone number, telephone, mobile number, mobile, mobile phone, mobile phone number, cell, cell phone, cell number, cell phone number, cellphone, contact number, contact phone, contact phone number, phone no, tel, callback number", kindAuto},
	{"full_name", "Full name", tString, "What is your full name?", "Jane Doe", true,
		"name, complete name, first and last name, customer name, name and surname", kindPerson},
	{"legal_name", "Legal name", tString, "What is your full legal name, as on your identity document?", "Jane Mary Doe", true,
		"full legal name, name as on the id, official name, name on your passport", kindPerson},
	{"first_name", "First name", tString, "What is your first name?", "Jane", true, "given name, forename", kindFirstName},
	{"last_name", "Last name", tString, "What is your last name?", "Doe", true, "surname, family name", kindLastName},
	{"company_name", "Company name", tString, "What is the name of your company?", "Example Ltd", false,
		"company, employer, employer name, name of the company, business name, organisation name, organization name", kindAuto},
	{"job_title", "Job title", tString, "What is your job title?", "Engineer", false, "occupation, profession, position at work", kindAuto},
	{"country", "Country of residence", tString, "Which country do you live in?", "Germany", false,
		"residence country, home country, country they live in, country you live in", kindCountry},
	{"nationality", "Nationality", tString, "What is your nationality?", "German", true, "citizenship", kindAuto},
	{"city", "City", tString, "Which city do you live in?", "Hamburg", false, "town, home city, home town, hometown", kindPlace},
	{"address", "Postal address", tString, "What is your postal address?", "1 Example Street, 20095 Hamburg", true,
		"home address, street address, residential address, mailing address, current address, place of residence", kindAddress},
	{"shipping_address", "Shipping address", tString, "Which address should we ship to?", "1 Example Street, 20095 Hamburg", true,
		"delivery address, address for delivery, address to ship to, ship-to address", kindAddress},
	{"billing_address", "Billing address", tString, "What is your billing address?", "1 Example Street, 20095 Hamburg", true,
		"invoice address", kindAddress},
	{"postal_code", "Postal code", tString, "What is your postal code?", "20095; SW1A 1AA", true,
		"postcode, post code, zip code, zip, zipcode", kindIdentifier},
	{"order_number", "Order number", tString, "What is your order number?", "A-10293", false,
		"order id, order no, order reference, order ref, purchase order number, order code", kindIdentifier},
	{"invoice_number", "Invoice number", tString, "What is the invoice number?", "INV-2041", false, "invoice id, invoice no, invoice reference", kindIdentifier},
	{"booking_reference", "Booking reference", tString, "What is your booking reference?", "X7PQ2K", false,
		"booking number, booking code, booking id, reservation number, reservation code, confirmation number, confirmation code, pnr", kindIdentifier},
	{"customer_number", "Customer number", tString, "What is your customer number?", "482910", false, "customer id, client number, customer no", kindIdentifier},
	{"account_number", "Account number", tString, "What is your account number?", "12345678", true, "account no, bank account number", kindIdentifier},
	{"iban", "IBAN", tString, "What is your IBAN?", "DE89 3704 0044 0532 0130 00", true, "international bank account number", kindIdentifier},
	{"policy_number", "Policy number", tString, "What is your policy number?", "P-778120", false, "insurance number, insurance policy number, policy id", kindIdentifier},
	{"membership_number", "Membership number", tString, "What is your membership number?", "M-10293", false,
		"member number, member id, membership id, loyalty number, loyalty card number", kindIdentifier},
	{"tracking_number", "Tracking number", tString, "What is the tracking number?", "1Z999AA10123456784", false, "tracking id, tracking code, parcel number", kindIdentifier},
	{"ticket_number", "Ticket number", tString, "What is your ticket number?", "T-5521", false, "case number, case id, ticket id, support ticket number", kindIdentifier},
	{"serial_number", "Serial number", tString, "What is the serial number of your device?", "SN-0042-77", false, "serial no, device serial number", kindIdentifier},
	{"passport_number", "Passport number", tString, "What is your passport number?", "C01X00T47", true, "passport no, passport id", kindIdentifier},
	{"national_id", "National ID number", tString, "What is your national ID number?", "X0123456", true,
		"id number, identity number, id card number, identity card number, national identity number, identification number", kindIdentifier},
	{"social_security_number", "Social security number", tString, "What is your social security number?", "078-05-1120", true, "ssn", kindIdentifier},
	{"tax_id", "Tax ID", tString, "What is your tax identification number?", "12 345 678 901", true,
		"tax number, tax identification number, tin, vat number, vat id", kindIdentifier},
	{"drivers_license_number", "Driver's license number", tString, "What is your driver's license number?", "D1234567", true,
		"driver's license, driver's licence, driving licence, driving license, driving licence number, driver's licence number, driver license number", kindIdentifier},
	{"license_plate", "License plate", tString, "What is the license plate of your car?", "HH-AB 123", true,
		"licence plate, number plate, plate number, registration plate, vehicle registration number", kindIdentifier},
	{"income", "Annual income", tNumber, "What is your annual income?", "54000", true,
		"yearly income, salary, annual salary, household income, gross income, net income, earnings", kindAuto},
	{"employment_status", "Employment status", tString, "What is your employment status?", "employed; self-employed; student", true, "", kindAuto},
	{"marital_status", "Marital status", tString, "What is your marital status?", "married; single", true, "", kindAuto},
	{"gender", "Gender", tString, "What is your gender?", "female; male; non-binary", true, "", kindAuto},
	{"budget", "Budget", tNumber, "What is your budget?", "1500", false, "", kindAuto},
	{"preferred_language", "Preferred language", tString, "Which language do you prefer?", "English", false, "language, language preference", kindAuto},
	{"preferred_contact_method", "Preferred contact method", tString, "How would you like to be contacted?", "email; phone", false,
		"preferred channel, contact method, preferred contact channel", kindAuto},
	{"time_zone", "Time zone", tString, "Which time zone are you in?", "Europe/Berlin", false, "timezone", kindAuto},
	{"website", "Website", tURL, "What is the address of your website?", "https://example.com", false, "website address, web site, homepage, website url", kindAuto},
	{"delivery_date", "Delivery date", tDate, "On which date should we deliver?", "2030-05-17", false, "preferred delivery date, date of delivery", kindAuto},
	{"appointment_date", "Appointment date", tDate, "On which date would you like your appointment?", "2030-05-17", false, "date of the appointment, preferred appointment date", kindAuto},
	{"departure_date", "Departure date", tDate, "On which date do you leave?", "2030-05-17", false, "date of departure, travel date, date of travel", kindAuto},
	{"return_date", "Return date", tDate, "On which date do you return?", "2030-05-24", false, "date of return", kindAuto},
	{"check_in_date", "Check-in date", tDate, "On which date do you check in?", "2030-05-17", false, "arrival date, date of arrival, check-in", kindAuto},
	{"check_out_date", "Check-out date", tDate, "On which date do you check out?", "2030-05-24", false, "check-out", kindAuto},
	{"purchase_date", "Purchase date", tDate, "When did you buy it?", "2030-05-17", false, "date of purchase", kindAuto},
	{"party_size", "Party size", tNumber, "How many people are you?", "4", false,
		"number of people, number of guests, number of persons, group size, number of participants", kindAuto},
	{"emergency_contact", "Emergency contact", tString, "Who should we contact in an emergency?", "John Doe", true, "", kindPerson},
	{"newsletter_consent", "Newsletter consent", tBoolean, "Would you like to receive our newsletter?", "yes; no", false,
		"newsletter opt-in, marketing consent, consent to marketing", kindAuto},
	{"terms_accepted", "Terms accepted", tBoolean, "Do you accept our terms and conditions?", "yes; no", false,
		"acceptance of the terms, consent to the terms", kindAuto},
}

// kind says what a value of a field looks like when a person writes it.
type kind int

const (
	kindAuto kind = iota // by the definition's type and name
	kindEmail
	kindPhone
	kindURL
	kindDate
	kindDatetime
	kindTime
	kindNumber
	kindAge
	kindBoolean
	kindChoice     // one of the allowed values
	kindIdentifier // letters and digits, at least one digit
	kindPerson
	kindFirstName
	kindLastName
	kindCountry
	kindPlace
	kindAddress
	kindFree // any words
	kindNone // never read from a conversation
)

// lexicon finds known fields by the words of a phrase.
var lexicon = newPhrases()

// phrases maps a phrase, as words joined by blanks, to the index of a known field.
type phrases struct {
	byPhrase map[string]int
	longest  int // number of words of the longest phrase
}

func newPhrases() phrases {
	p := phrases{byPhrase: map[string]int{}}
	for i, f := range knownFields {
		for _, phrase := range f.allPhrases() {
			if _, taken := p.byPhrase[phrase]; !taken {
				p.byPhrase[phrase] = i
			}
			p.longest = max(p.longest, strings.Count(phrase, " ")+1)
		}
	}
	return p
}

// allPhrases gives every name of the field, as folded words joined by blanks.
func (f knownField) allPhrases() []string {
	list := []string{phraseOf(f.name), phraseOf(f.display)}
	for phrase := range strings.SplitSeq(f.phrases, ",") {
		if p := phraseOf(phrase); p != "" {
			list = append(list, p)
		}
	}
	return list
}

// phraseOf gives the folded words of a name or phrase, joined by blanks.
func phraseOf(s string) string {
	return strings.Join(words(strings.ReplaceAll(s, "_", " ")), " ")
}

// find gives the known field that a phrase names.
func (p phrases) find(phrase string) (knownField, bool) {
	i, ok := p.byPhrase[phraseOf(phrase)]
	if !ok {
		return knownField{}, false
	}
	return knownFields[i], true
}

// at gives the known field that the tokens name from i on, and how many of them; the longest phrase wins.
func (p phrases) at(tokens []token, i int) (field knownField, n int) {
	for n := min(p.longest, len(tokens)-i); n > 0; n-- {
		parts := make([]string, n)
		for k := range parts {
			parts[k] = tokens[i+k].word
		}
		if at, ok := p.byPhrase[strings.Join(parts, " ")]; ok {
			return knownFields[at], n
		}
		parts[n-1] = singular(parts[n-1])
		if at, ok := p.byPhrase[strings.Join(parts, " ")]; ok {
			return knownFields[at], n
		}
	}
	return knownField{}, 0
}
