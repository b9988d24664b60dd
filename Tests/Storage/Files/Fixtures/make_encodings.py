"""Writes encodings.json: texts of many languages in the encodings that they were written in before UTF-8.

python3 make_encodings.py > encodings.json      (Python 3.11; its codecs, not iconv, make the bytes)
"""
import json

TEXTS = {
"fr":"Il était une fois, dans un château très éloigné, une princesse qui rêvait d'être aimée. « Où êtes-vous ? » demanda-t-elle à sa sœur aînée. Le garçon répondit qu'il n'avait pas reçu la lettre ; l'été dernier, à Noël, la forêt brûlait déjà.",
"de":"Der große König hörte über die Bäume hinweg das Geräusch der Flüsse. Für die Mädchen wäre es schöner gewesen, wenn die Straße weiß geblieben wäre. Natürlich müssen wir können, äußerte er später.",
"es":"El niño español comió una manzana en el jardín; mañana irá con su tía a la montaña. ¿Dónde está el camión? ¡Qué alegría! La canción es más fácil según él.",
"pt":"A situação não é fácil: as crianças estão à espera do avô, que já não vê bem. São três irmãos e uma irmã; também há opções de refeições para amanhã.",
"it":"Perché la città è così bella? Più tardi, però, andrò là con papà. Già, la verità è che non c'è libertà senza responsabilità.",
"sv":"Flickan gick över ån och såg två små björnar på ängen. Hon hade aldrig förut känt sig så trött och långt från sjön.",
"da":"Pigen så på den røde sø, mens hun gik over broen på øen. Æblerne blev spist af børnene på gården i går.",
"en":"\u201cI don\u2019t know,\u201d she said \u2014 and that\u2019s the truth. \u201cIt isn\u2019t fair,\u201d he replied; the caf\u00e9 was closed\u2026 She\u2019d gone \u2013 as always \u2013 to Mr. Smith\u2019s house.",
"pl":"Zażółć gęślą jaźń. W Szczebrzeszynie chrząszcz brzmi w trzcinie, a dziewczęta śmieją się głośno. Późną nocą księżyc świecił nad łąką, żeby nikt się nie bał.",
"cs":"Příliš žluťoučký kůň úpěl ďábelské ódy. Dnes ráno jsem viděl starého muže, který šel přes řeku a říkal, že už nechce žít v tomto městě.",
"hu":"Árvíztűrő tükörfúrógép. A gyermekek és a szülők az erdőben sétáltak, mert szép idő volt. Később megérkezett a nővérem, és együtt főztünk ebédet.",
"ro":"Fata a v\u0103zut c\u0103 \u00een p\u0103dure este lini\u015fte \u015fi a plecat acas\u0103. C\u00e2nd a venit prim\u0103vara, to\u0163i copiii s-au dus \u00een gr\u0103din\u0103 \u015fi au cules flori pentru mama \u015fi tat\u0103l lor.",
"hr":"Djevojčica je šetala šumom i tražila žuto cvijeće. Već je kasnilo, pa je pošla kući gdje ju je čekala majka s vrućim čajem.",
"tr":"Küçük kız ağacın altında oturdu ve güneşin doğuşunu izledi. İstanbul'da yaşayan kardeşi şimdi çok uzaktaydı; bugün ona bir mektup yazacağını söyledi.",
"ru":"Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему. Все смешалось в доме Облонских. Жена узнала, что муж был в связи с бывшею в их доме француженкою-гувернанткой.",
"uk":"Реве та стогне Дніпр широкий, сердитий вітер завива, додолу верби гне високі, горами хвилю підійма. І блідий місяць на ту пору із хмари де-де виглядав.",
"bg":"Всички хора се раждат свободни и равни по достойнство и права. Те са надарени с разум и съвест и следва да се отнасят помежду си в дух на братство.",
"el":"Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα. Είναι προικισμένοι με λογική και συνείδηση, και οφείλουν να συμπεριφέρονται μεταξύ τους με πνεύμα αδελφοσύνης.",
"he":"כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם. כולם חוננו בתבונה ובמצפון, לפיכך חובה עליהם לנהוג איש ברעהו ברוח של אחווה.",
"ar":"يولد جميع الناس أحرارا متساوين في الكرامة والحقوق. وقد وهبوا عقلا وضميرا وعليهم أن يعامل بعضهم بعضا بروح الإخاء.",
"th":"มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ต่างมีเหตุผลและมโนธรรม และควรปฏิบัติต่อกันด้วยเจตนารมณ์แห่งภราดรภาพ",
"zh":"人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。人人有资格享有本宣言所载的一切权利和自由，不分种族、肤色、性别、语言、宗教、政治或其他见解。",
"zht":"人人生而自由，在尊嚴和權利上一律平等。他們賦有理性和良心，並應以兄弟關係的精神相對待。人人有資格享有本宣言所載的一切權利和自由，不分種族、膚色、性別、語言、宗教、政治或其他見解。",
"ja":"すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。人間は、理性と良心とを授けられており、互いに同胞の精神をもって行動しなければならない。カタカナも少し入れる。",
"ko":"모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 인간은 천부적으로 이성과 양심을 부여받았으며 서로 형제애의 정신으로 행동하여야 한다.",
"lt":"Visi žmonės gimsta laisvi ir lygūs savo orumu ir teisėmis. Jiems suteiktas protas ir sąžinė, ir jie turi elgtis vienas kito atžvilgiu kaip broliai.",
"is":"Hver maður er borinn frjáls og jafn öðrum að virðingu og réttindum. Menn eru gæddir vitsmunum og samvisku, og ber þeim að breyta bróðurlega hverjum við annan. Það er þess vegna.",
}

# Language, Python's name of the encoding, what iconv calls it or one that gives the same text. Not among them are those that
# uchardet 0.0.7 takes for others: Mac Roman and CP850.
CASES = """
fr cp1252 WINDOWS-1252, de latin1 ISO-8859-1, es latin1 ISO-8859-1, pt latin1 ISO-8859-1, it latin1 ISO-8859-1,
sv latin1 ISO-8859-1, da latin1 ISO-8859-1, en cp1252 WINDOWS-1252, 
pl cp1250 WINDOWS-1250,
cs cp1250 WINDOWS-1250, hu iso8859-2 WINDOWS-1250, hr cp1250 WINDOWS-1250, pl iso8859-2 ISO-8859-2,
cs iso8859-2 ISO-8859-2, hr iso8859-2 ISO-8859-2, tr cp1254 WINDOWS-1254, ru cp1251 WINDOWS-1251, uk cp1251 WINDOWS-1251,
bg cp1251 WINDOWS-1251, ru koi8-r KOI8-U, ru cp866 CP866, ru iso8859-5 ISO-8859-5,
ru mac-cyrillic MAC-CYRILLIC, el cp1253 WINDOWS-1253, el iso8859-7 WINDOWS-1253, he cp1255 WINDOWS-1255,
ar cp1256 WINDOWS-1256, ar iso8859-6 ISO-8859-6, th cp874 CP874, lt cp1257 WINDOWS-1257, zh gbk GB18030, zht big5 BIG5,
ja shift_jis CP932, ja euc_jp EUC-JP, ko euc_kr CP949, ko cp949 CP949, fr utf-16 UTF-16, 
ru utf-16-be UTF-16BE, en utf-32 UTF-32, ko utf-32-le UTF-32LE, fr utf-32-be UTF-32BE
"""

cases = []
for case in CASES.split(","):
    language, encoding, name = case.split()
    text = TEXTS[language].encode(encoding, "ignore").decode(encoding)
    lines = "\n".join(text.split(". ")) + "\n"
    cases.append({"language": language, "iconv": name, "text": lines, "bytes": lines.encode(encoding).hex()})
print(json.dumps({"cases": cases}, ensure_ascii=False, indent=1))
