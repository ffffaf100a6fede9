// Words that the generated events are made of.
#pragma once

#include <array>
#include <string_view>

namespace bahi::workload::words {

/// Common English and chat words, the most common first; sampled by rank as in real text (Zipf).
inline constexpr auto kText = std::to_array<std::string_view>({
    "the",         "to",        "a",        "I",          "and",       "is",         "it",        "you",
    "of",          "that",      "in",       "for",        "on",        "have",       "be",        "with",
    "not",         "this",      "but",      "can",        "do",        "if",         "are",       "my",
    "just",        "so",        "what",     "get",        "as",        "or",         "there",     "no",
    "was",         "at",        "how",      "all",        "we",        "know",       "me",        "like",
    "your",        "when",      "from",     "they",       "now",       "one",        "would",     "any",
    "some",        "up",        "out",      "will",       "need",      "about",      "use",       "work",
    "want",        "don't",     "an",       "then",       "has",       "more",       "time",      "think",
    "it's",        "new",       "still",    "yes",        "try",       "see",        "only",      "install",
    "does",        "file",      "did",      "thanks",     "please",    "here",       "should",    "good",
    "which",       "other",     "why",      "problem",    "make",      "go",         "sure",      "had",
    "anyone",      "order",     "after",    "way",        "been",      "running",    "same",      "right",
    "where",       "help",      "version",  "because",    "something", "could",      "them",      "maybe",
    "really",      "by",        "today",    "delivery",   "also",      "than",       "who",       "back",
    "our",         "look",      "way",      "say",        "first",     "really",     "well",      "system",
    "send",        "sent",      "working",  "over",       "before",    "again",      "shop",      "price",
    "check",       "customer",  "package",  "error",      "set",       "change",     "same",      "last",
    "next",        "week",      "tomorrow", "morning",    "evening",   "address",    "phone",     "number",
    "invoice",     "payment",   "refund",   "stock",      "batch",     "counter",    "branch",    "store",
    "warehouse",   "medicine",  "tablets",  "strip",      "bottle",    "box",        "carton",    "missing",
    "damaged",     "expired",   "received", "returned",   "replaced",  "cancelled",  "confirmed", "shipped",
    "pending",     "delayed",   "arrived",  "waiting",    "question",  "answer",     "reason",    "discount",
    "tax",         "receipt",   "printer",  "screen",     "network",   "server",     "update",    "upgrade",
    "download",    "driver",    "kernel",   "desktop",    "window",    "folder",     "password",  "account",
    "login",       "message",   "channel",  "weekend",    "holiday",   "festival",   "family",    "friend",
    "doctor",      "clinic",    "pharmacy", "supplier",   "transport", "courier",    "signature", "balance",
    "transfer",    "deposit",   "interest", "monthly",    "quarter",   "report",     "summary",   "target",
    "market",      "quality",   "quantity", "weight",     "litre",     "kilogram",   "packet",    "sample",
    "label",       "barcode",   "shelf",    "freezer",    "counting",  "recount",    "shortage",  "surplus",
    "transferred", "approved",  "rejected", "manager",    "cashier",   "operator",   "trainee",   "auditor",
    "inspector",   "schedule",  "reminder", "umbrella",   "monsoon",   "traffic",    "highway",   "station",
    "platform",    "elevator",  "basement", "corridor",   "yesterday", "afternoon",  "midnight",  "quickly",
    "slowly",      "carefully", "probably", "definitely", "actually",  "apparently", "exactly",   "recently",
    "usually",     "sometimes", "remember", "forgotten",  "explained", "understood", "noticed",   "compared",
    "replied",     "promised",  "repaired", "measured",   "borrowed",  "collected",  "delivered",
});

/// What people write over and over in chats and notes.
inline constexpr auto kPhrases = std::to_array<std::string_view>({
    "please leave it at the front desk",
    "call on arrival",
    "do you know if",
    "how do I get",
    "what is the price of",
    "thanks for the help",
    "I don't know",
    "is there a way to",
    "will be back in the evening",
    "not in stock",
    "the same as last week",
    "it works now",
    "still waiting for the delivery",
    "can you check the invoice",
    "paid in cash at the counter",
    "no problem",
    "let me know when",
    "the box was damaged",
    "one strip is missing",
    "customer asked for a refund",
    "sent to the wrong address",
    "please confirm the order",
    "ask the manager",
    "deliver before noon",
    "deliver after six",
    "ring the bell twice",
    "keep it in the fridge",
    "gift wrap please",
    "does anyone know",
    "have you tried",
    "I think so",
    "in the morning",
    "at the moment",
    "as soon as possible",
    "counted twice",
    "expiry date checked",
    "moved to the upper shelf",
    "received with the morning truck",
    "short by two packets",
    "label printed again",
    "I have the same problem",
    "you need to install",
    "try again",
    "what version are you using",
    "that should work",
    "see you tomorrow",
    "good morning everyone",
    "on my way",
    "who is at the counter",
    "the printer is out of paper",
    "payment went through",
    "the card was declined",
    "approved by the manager",
    "partial delivery",
    "rest follows on Monday",
    "no substitutes please",
    "same as before",
    "for the clinic upstairs",
    "second reminder",
    "closed for the holiday",
    "stock count is off",
    "found in the basement",
});

inline constexpr auto kFirstNames = std::to_array<std::string_view>({
    "Aarav",  "Aditi",  "Ananya", "Arjun",  "Asha",  "Bhavna", "Chetan",  "Deepa",  "Devika", "Farhan", "Gauri",
    "Harish", "Imran",  "Ishita", "Jaya",   "Karan", "Kavya",  "Lakshmi", "Manish", "Meera",  "Mohan",  "Nandini",
    "Neha",   "Nikhil", "Pooja",  "Pranav", "Priya", "Rahul",  "Ravi",    "Ritu",   "Rohan",  "Sana",   "Sanjay",
    "Shreya", "Sunita", "Suresh", "Tanvi",  "Uma",   "Varun",  "Vijay",   "Vikram", "Yamini", "Zoya",   "Omkar",
});

inline constexpr auto kLastNames = std::to_array<std::string_view>({
    "Agarwal", "Banerjee",  "Bhat",   "Chatterjee", "Choudhury", "Das",      "Desai",  "Fernandes", "Ghosh", "Gupta",
    "Iyer",    "Jain",      "Joshi",  "Kapoor",     "Khan",      "Kulkarni", "Kumar",  "Malhotra",  "Mehta", "Menon",
    "Mishra",  "Mukherjee", "Nair",   "Naidu",      "Pandey",    "Patel",    "Pillai", "Rao",       "Reddy", "Roy",
    "Saxena",  "Shah",      "Sharma", "Shetty",     "Singh",     "Sinha",    "Thomas", "Trivedi",   "Varma", "Yadav",
});

inline constexpr auto kProducts = std::to_array<std::string_view>({
    "Paracetamol 500 mg",  "Amoxicillin 250 mg",    "Cetirizine 10 mg",       "Basmati rice 5 kg",
    "Toor dal 1 kg",       "Sunflower oil 1 l",     "Green tea 100 g",        "Face wash 150 ml",
    "Hand soap 250 ml",    "Toothpaste 200 g",      "Glucose biscuits 300 g", "Wheat flour 10 kg",
    "Metformin 500 mg",    "Vitamin D3 60k",        "Cough syrup 100 ml",     "Cotton bandage 10 cm",
    "Digital thermometer", "Notebook A5 200 p",     "Ball pen blue 10",       "LED bulb 9 W",
    "Ghee 500 ml",         "Turmeric powder 200 g", "Almonds 500 g",          "Jaggery 1 kg",
    "Detergent 2 kg",      "Phone charger 20 W",
});

inline constexpr auto kRooms = std::to_array<std::string_view>({
    "#general",
    "#orders",
    "#support",
    "#warehouse-blr",
    "#warehouse-del",
    "#pharmacy",
    "#deliveries",
    "#accounts",
    "#returns",
    "#kirana-south",
    "#kirana-west",
    "#announcements",
});

/// What people say between English words: Hindi and Gujarati, in their own letters and in Latin ones.
inline constexpr auto kIndianPhrases = std::to_array<std::string_view>({
    "haan ji",
    "theek hai",
    "kal subah milega",
    "kitna time lagega",
    "bhai jaldi karo",
    "abhi nahi hai",
    "do din baad aana",
    "accha chalo",
    "dhanyavaad",
    "ek minute ruko",
    "sab theek",
    "paisa mil gaya",
    "kem cho",
    "saru che",
    "kale aavjo",
    "ketla paisa thaya",
    "dukan bandh che",
    "aabhar",
    "नमस्ते",
    "धन्यवाद",
    "ठीक है",
    "कल सुबह तक पहुँच जाएगा",
    "दवा अभी नहीं है",
    "कितना समय लगेगा",
    "हिसाब मिल गया",
    "दुकान कब खुलेगी",
    "બિલ મોકલી દો",
    "કેમ છો",
    "આભાર",
    "દવા આવી ગઈ છે",
    "કાલે સવારે મળશે",
    "સ્ટોક પૂરો થઈ ગયો",
});

/// Rooms of a community, the busiest first.
inline constexpr auto kCommunityRooms = std::to_array<std::string_view>({
    "help",      "introductions", "jobs",  "cricket",  "recipes", "ahmedabad", "mumbai", "delhi",
    "bengaluru", "movies",        "music", "hardware", "linux",   "android",   "web",    "books",
    "trading",   "travel",        "exams", "startups", "gardens", "photos",    "events", "off-topic",
});

/// Names of medicines, and how each is sold.
struct Medicine {
  std::string_view name;
  std::string_view unit;
};
inline constexpr auto kMedicines = std::to_array<Medicine>({
    {"Paracetamol", "tablet"},       {"Amoxicillin", "capsule"},     {"Cetirizine", "tablet"},
    {"Metformin", "tablet"},         {"Atorvastatin", "tablet"},     {"Amlodipine", "tablet"},
    {"Telmisartan", "tablet"},       {"Pantoprazole", "tablet"},     {"Azithromycin", "tablet"},
    {"Ibuprofen", "tablet"},         {"Diclofenac", "gel tube"},     {"Salbutamol", "inhaler"},
    {"Levothyroxine", "tablet"},     {"Losartan", "tablet"},         {"Omeprazole", "capsule"},
    {"Ondansetron", "tablet"},       {"Domperidone", "tablet"},      {"Ranitidine", "tablet"},
    {"Cough syrup", "bottle"},       {"Vitamin D3", "sachet"},       {"Vitamin B12", "tablet"},
    {"Calcium carbonate", "tablet"}, {"Iron folic acid", "tablet"},  {"ORS", "sachet"},
    {"Insulin glargine", "pen"},     {"Glimepiride", "tablet"},      {"Clopidogrel", "tablet"},
    {"Aspirin", "tablet"},           {"Rosuvastatin", "tablet"},     {"Montelukast", "tablet"},
    {"Fexofenadine", "tablet"},      {"Doxycycline", "capsule"},     {"Ciprofloxacin", "tablet"},
    {"Ofloxacin", "eye drops"},      {"Clotrimazole", "cream tube"}, {"Povidone iodine", "bottle"},
    {"Mefenamic acid", "tablet"},    {"Tramadol", "capsule"},        {"Gabapentin", "capsule"},
    {"Sertraline", "tablet"},        {"Escitalopram", "tablet"},     {"Chyawanprash", "jar"},
});
inline constexpr auto kStrengths = std::to_array<std::string_view>(
    {"5 mg", "10 mg", "20 mg", "25 mg", "40 mg", "50 mg", "100 mg", "250 mg", "500 mg"});
inline constexpr auto kShopCities = std::to_array<std::string_view>(
    {"ahmedabad", "surat", "vadodara", "rajkot", "bhavnagar", "jamnagar", "anand", "mehsana", "bhuj", "junagadh"});

inline constexpr auto kMethods = std::to_array<std::string_view>({"upi", "card", "netbanking", "cash", "wallet"});
inline constexpr auto kCities =
    std::to_array<std::string_view>({"BLR", "DEL", "BOM", "MAA", "HYD", "PNQ", "CCU", "COK"});
inline constexpr auto kReactions =
    std::to_array<std::string_view>({"thumbs_up", "heart", "laugh", "done", "eyes", "party", "question"});

}  // namespace bahi::workload::words
