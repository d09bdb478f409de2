"""Every table of the atlas, said once: what checks enforce, what is published, what pages print."""

from dataclasses import dataclass, field

CONFIDENCES = ("plan", "two_sources", "one_source", "derived", "conflict")
"""Best first; the order breaks ties between claims of one date."""

QUALIFIER_WORDS = {">": "over", ">=": "at_least", "~": "about", "<": "under", "<=": "at_most"}
QUALIFIERS = ("", *QUALIFIER_WORDS)
AS_OF_BASES = ("stated", "published", "not_before", "approximate", "read")
MONEY_KINDS = ("preliminary_total", "approved_total", "registered", "implemented", "disbursed")
FUNDS = (
    "central_budget",
    "local_budget",
    "private",
    "oda_loan",
    "counterpart",
    "mixed",
    "not_stated",
)
PLACE_KINDS = (
    "industrial_park",
    "industrial_cluster",
    "logistics_centre",
    "logistics_site",
    "port",
    "power_plant",
    "plant",
)
ROUTE_KINDS = ("expressway", "national_road", "provincial_road", "road", "canal")
POSITION_METHODS = (
    "surveyed",
    "official_boundary",
    "osm",
    "digitised",
    "schematic",
    "commune_point",
)
"""Best first: the order in which positions of one subject win."""

STAGE_AXES = ("park", "cluster", "public", "project")
STAGE_PHASES = ("planned", "preparing", "building", "operating", "ended")


@dataclass(frozen=True)
class Column:
    """One column: its kind, its limits and what it means, in both languages.

    ``kind`` is one of ``text``, ``integer``, ``number``, ``decimal`` (exact decimal text),
    ``date`` (ISO 8601, whole or cut to month or year), ``flag`` (``true``/``false``),
    ``list`` (text parts joined by ``;``), ``url`` and ``wkt`` (EPSG:4326).
    ``references`` names ``table.column`` targets, any of which may hold the value; for a list
    it holds for every part. ``local`` names the property of `geodata.region.Region` that sets its
    limits, or its words where it is text.
    """

    name: str
    kind: str
    vi: str
    en: str
    required: bool = True
    enum: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str = ""
    references: tuple[str, ...] = ()
    local: str = ""


@dataclass(frozen=True)
class Table:
    """One table: its grain, its key and its columns."""

    name: str
    vi: str
    en: str
    one_row_is: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    ordered_dates: tuple[tuple[str, str], ...] = field(default=())

    @property
    def column_names(self) -> tuple[str, ...]:
        """Column names in published order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """Return the column of that name; KeyError where there is none."""
        return {column.name: column for column in self.columns}[name]


ID = r"[a-z0-9]+([.-][a-z0-9]+)*"

MONTH_DAY = (
    r"(0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8])"
)
"""A day that every year has."""

_SUBJECT = ("places.place_id", "routes.route_id")
_DOCUMENTS = Column(
    "document_ids",
    "list",
    "Tài liệu làm căn cứ",
    "Documents that say so",
    references=("documents.document_id",),
)
_CONFIDENCE = Column("confidence", "text", "Mức tin cậy", "Confidence", enum=CONFIDENCES)
_NOTE_VI = Column("note_vi", "text", "Ghi chú (tiếng Việt)", "Note (Vietnamese)", required=False)
_NOTE_EN = Column("note_en", "text", "Ghi chú (tiếng Anh)", "Note (English)", required=False)
_PLAN_REFS = Column(
    "plan_refs",
    "list",
    "Điểm, khoản trong hai kế hoạch nêu tên (s1:III.5)",
    "Clauses of the two plans that name it (s1:III.5)",
    required=False,
    pattern=r"s[12]:[IVX]+(\.[0-9a-zđ]+)*",
)

_QUALIFIER = Column(
    "qualifier", "text", "Dấu so sánh", "Qualifier", required=False, enum=QUALIFIERS
)
_ACT = Column(
    "act_id",
    "text",
    "Văn bản pháp lý",
    "Legal act",
    required=False,
    references=("documents.document_id",),
)
_PLAN = Column("plan_id", "text", "Kế hoạch", "Plan", references=("documents.document_id",))
_AS_OF = Column("as_of", "date", "Ngày của số liệu", "As of")
_AS_OF_BASIS = Column(
    "as_of_basis", "text", "Căn cứ của ngày", "Basis of the date", enum=AS_OF_BASES
)
_ON_BASIS = Column("on_basis", "text", "Căn cứ của ngày", "Basis of the date", enum=AS_OF_BASES)
_ALIASES = Column("aliases", "list", "Tên khác", "Other names", required=False)
_CAUTIONS = (
    Column("caution_vi", "text", "Lưu ý", "Caution (Vietnamese)", required=False),
    Column("caution_en", "text", "Lưu ý tiếng Anh", "Caution (English)", required=False),
)


def _id(name: str, vi: str, en: str) -> Column:
    return Column(name, "text", vi, en, pattern=ID)


def _subject() -> Column:
    return Column(
        "subject_id", "text", "Mã địa điểm hoặc tuyến", "Place or route", references=_SUBJECT
    )


def _phase() -> Column:
    return Column(
        "phase", "text", "Giai đoạn hoặc thành phần", "Phase or component", required=False
    )


TABLES: tuple[Table, ...] = (
    Table(
        name="places",
        vi="Địa điểm",
        en="Places",
        one_row_is="one industrial park, cluster, logistics centre or site, port or plant",
        key=("place_id",),
        columns=(
            _id("place_id", "Mã địa điểm", "Place id"),
            Column("kind", "text", "Loại", "Kind", enum=PLACE_KINDS),
            Column("name_vi", "text", "Tên", "Name (Vietnamese)"),
            Column("name_en", "text", "Tên tiếng Anh", "Name (English)"),
            _ALIASES,
            Column(
                "inside_id",
                "text",
                "Nằm trong địa điểm",
                "Lies inside this place",
                required=False,
                references=("places.place_id",),
            ),
            Column(
                "district_ids",
                "list",
                "Huyện, thị xã, thành phố cũ",
                "Old districts",
                required=False,
                references=("communes.unit_id",),
            ),
            Column(
                "old_commune_ids",
                "list",
                "Xã, phường, thị trấn cũ (trước 01/7/2025)",
                "Old communes (before 1 July 2025)",
                required=False,
                references=("communes.unit_id",),
            ),
            Column(
                "commune_ids",
                "list",
                "Xã, phường mới (từ 01/7/2025)",
                "New communes (from 1 July 2025)",
                required=False,
                references=("communes.unit_id",),
            ),
            Column(
                "location_basis",
                "text",
                "Cách biết nơi đặt",
                "How the location is known",
                enum=("named_by_source", "derived_from_name", "inside_place", "not_known"),
            ),
            _PLAN_REFS,
            _DOCUMENTS,
            _NOTE_VI,
            _NOTE_EN,
        ),
    ),
    Table(
        name="routes",
        vi="Tuyến giao thông",
        en="Routes",
        one_row_is="one road or canal segment that the plans or a source name",
        key=("route_id",),
        columns=(
            _id("route_id", "Mã tuyến", "Route id"),
            Column("kind", "text", "Loại", "Kind", enum=ROUTE_KINDS),
            Column("ref", "text", "Số hiệu đường", "Road number", required=False),
            Column("name_vi", "text", "Tên", "Name (Vietnamese)"),
            Column("name_en", "text", "Tên tiếng Anh", "Name (English)"),
            _ALIASES,
            Column(
                "node_ids",
                "list",
                "Các nơi tuyến đi qua, theo thứ tự nguồn nêu",
                "Places passed, in the order the sources name",
                required=False,
                references=("communes.unit_id",),
            ),
            Column(
                "osm_names",
                "list",
                "Tên trong OpenStreetMap",
                "Names in OpenStreetMap",
                required=False,
            ),
            _PLAN_REFS,
            _DOCUMENTS,
            _NOTE_VI,
            _NOTE_EN,
        ),
    ),
    Table(
        name="positions",
        vi="Vị trí",
        en="Positions",
        one_row_is="one geometry of one subject, with its method and accuracy",
        key=("position_id",),
        columns=(
            _id("position_id", "Mã vị trí", "Position id"),
            _subject(),
            Column("method", "text", "Phương pháp", "Method", enum=POSITION_METHODS),
            Column("accuracy_m", "number", "Sai số, mét", "Accuracy, metres", minimum=1),
            Column("geometry", "wkt", "Hình học (WGS 84)", "Geometry (WGS 84)"),
            _AS_OF,
            _DOCUMENTS,
            _NOTE_VI,
            _NOTE_EN,
        ),
    ),
    Table(
        name="claims",
        vi="Số liệu theo nguồn",
        en="Claims",
        one_row_is="one dated, sourced statement about one measure of one subject",
        key=("claim_id",),
        columns=(
            _id("claim_id", "Mã số liệu", "Claim id"),
            _subject(),
            Column(
                "measure",
                "text",
                "Chỉ tiêu đo",
                "Measure",
                references=("measures.measure",),
            ),
            _phase(),
            _QUALIFIER,
            Column("value", "text", "Giá trị", "Value (Vietnamese where it is text)"),
            Column(
                "value_en",
                "text",
                "Giá trị bằng tiếng Anh, khi là chữ và khác tiếng Việt",
                "Value in English, where it is text and differs",
                required=False,
            ),
            Column("unit", "text", "Đơn vị", "Unit", required=False),
            _AS_OF,
            _AS_OF_BASIS,
            _DOCUMENTS,
            _CONFIDENCE,
            _NOTE_VI,
            _NOTE_EN,
        ),
    ),
    Table(
        name="stage_events",
        vi="Sự kiện tiến độ",
        en="Stage events",
        one_row_is="one dated step of one subject along its physical axis",
        key=("event_id",),
        columns=(
            _id("event_id", "Mã sự kiện", "Event id"),
            _subject(),
            Column("stage_id", "text", "Bước", "Stage", references=("stages.stage_id",)),
            _phase(),
            Column("on", "date", "Ngày", "Date"),
            _ON_BASIS,
            _ACT,
            Column(
                "is_step_back",
                "flag",
                "Lùi bước có căn cứ",
                "A step back that the source itself states",
            ),
            _DOCUMENTS,
            _CONFIDENCE,
            _NOTE_VI,
            _NOTE_EN,
        ),
    ),
    Table(
        name="money_events",
        vi="Sự kiện vốn",
        en="Money events",
        one_row_is="one amount of one of the five kinds of money, on one date",
        key=("money_id",),
        columns=(
            _id("money_id", "Mã khoản vốn", "Money id"),
            _subject(),
            Column("kind", "text", "Loại vốn", "Kind of money", enum=MONEY_KINDS),
            Column("fund", "text", "Nguồn vốn", "Fund", enum=FUNDS),
            _phase(),
            _QUALIFIER,
            Column("amount", "decimal", "Số tiền", "Amount", minimum=0),
            Column("unit", "text", "Đơn vị", "Unit", local="money_units"),
            Column("on", "date", "Ngày", "Date"),
            _ON_BASIS,
            _ACT,
            _DOCUMENTS,
            _CONFIDENCE,
            _NOTE_VI,
            _NOTE_EN,
        ),
    ),
    Table(
        name="milestones",
        vi="Mốc hứa hẹn",
        en="Milestones",
        one_row_is="one promised date of one subject, as one publication gave it",
        key=("milestone_id",),
        columns=(
            _id("milestone_id", "Mã mốc", "Milestone id"),
            _subject(),
            _id("promise_id", "Mã lời hứa (gộp các lần dự báo)", "Promise (groups its forecasts)"),
            Column("name_vi", "text", "Nội dung", "What is promised (Vietnamese)"),
            Column("name_en", "text", "Nội dung tiếng Anh", "What is promised (English)"),
            Column(
                "stage_id",
                "text",
                "Bước sẽ đạt",
                "Stage it will reach",
                required=False,
                references=("stages.stage_id",),
            ),
            _phase(),
            Column("due_on", "date", "Ngày hứa", "Promised date"),
            Column("published_on", "date", "Ngày công bố", "Date of the publication"),
            Column("met_on", "date", "Ngày đạt", "Date it was met", required=False),
            _DOCUMENTS,
            _CONFIDENCE,
            _NOTE_VI,
            _NOTE_EN,
        ),
    ),
    Table(
        name="targets",
        vi="Mục tiêu",
        en="Targets",
        one_row_is="one target of one plan for one year or period",
        key=("target_id",),
        columns=(
            _id("target_id", "Mã mục tiêu", "Target id"),
            _PLAN,
            Column("clause", "text", "Điểm, khoản", "Clause"),
            Column("name_vi", "text", "Tên mục tiêu", "Target (Vietnamese)"),
            Column("name_en", "text", "Tên tiếng Anh", "Target (English)"),
            Column("is_baseline", "flag", "Là số gốc", "Is the baseline"),
            Column("is_qualitative", "flag", "Là mục tiêu định tính", "Is qualitative"),
            _QUALIFIER,
            Column("value", "decimal", "Giá trị", "Value", required=False),
            Column("unit", "text", "Đơn vị", "Unit (as in the plan)", required=False),
            Column("unit_en", "text", "Đơn vị tiếng Anh", "Unit (English)", required=False),
            Column(
                "period", "text", "Năm hoặc giai đoạn", "Year or period", pattern=r"\d{4}(-\d{4})?"
            ),
            Column(
                "series_id",
                "text",
                "Chuỗi chỉ số so sánh được",
                "Indicator series it may be compared with",
                required=False,
                references=("indicators.series_id",),
            ),
            *_CAUTIONS,
            _CONFIDENCE,
        ),
    ),
    Table(
        name="indicators",
        vi="Chỉ số thực hiện",
        en="Indicators",
        one_row_is="one value of one statistical series for one period, as one source gave it",
        key=("indicator_id",),
        columns=(
            _id("indicator_id", "Mã chỉ số", "Indicator id"),
            _id("series_id", "Mã chuỗi", "Series id"),
            Column("name_vi", "text", "Tên chuỗi", "Series (Vietnamese)"),
            Column("name_en", "text", "Tên chuỗi tiếng Anh", "Series (English)"),
            Column(
                "scope",
                "text",
                "Phạm vi",
                "Scope",
                enum=(
                    "economy",
                    "industry",
                    "industry_and_construction",
                    "manufacturing",
                    "electricity",
                    "parks",
                    "clusters",
                    "parks_and_clusters",
                    "logistics",
                    "programme",
                    "investment_promotion",
                    "renewable_energy",
                ),
            ),
            Column(
                "price_basis",
                "text",
                "Giá",
                "Price basis",
                required=False,
                enum=("", "current", "constant_2010", "not_stated"),
            ),
            Column(
                "period",
                "text",
                "Kỳ",
                "Period",
                pattern=r"\d{4}(-\d{2}|-Q[1-4]|-H[12]|-\d{4})?(/\d{4}(-\d{2})?)?",
            ),
            _QUALIFIER,
            Column("value", "decimal", "Giá trị", "Value"),
            Column("unit", "text", "Đơn vị", "Unit"),
            Column("unit_en", "text", "Đơn vị tiếng Anh", "Unit (English)"),
            _AS_OF,
            _AS_OF_BASIS,
            _DOCUMENTS,
            _CONFIDENCE,
            *_CAUTIONS,
        ),
    ),
    Table(
        name="funding_plan",
        vi="Kinh phí theo kế hoạch",
        en="Funding plan",
        one_row_is="one sum of the programme's funding: the total, a source, a year, or both",
        key=("funding_id",),
        columns=(
            _id("funding_id", "Mã kinh phí", "Funding id"),
            _PLAN,
            Column("clause", "text", "Điểm, khoản", "Clause", required=False),
            Column("name_vi", "text", "Khoản mục", "Item (Vietnamese)"),
            Column("name_en", "text", "Khoản mục tiếng Anh", "Item (English)"),
            Column(
                "axis",
                "text",
                "Cách chia",
                "How it divides the total",
                enum=("total", "source", "year", "source_and_year"),
            ),
            Column("fund", "text", "Nguồn vốn", "Fund", required=False, enum=("", *FUNDS)),
            Column("year", "integer", "Năm", "Year", required=False, local="plan_years"),
            Column("amount", "decimal", "Số tiền", "Amount", minimum=0),
            Column("unit", "text", "Đơn vị", "Unit", enum=("tỷ đồng",)),
            _DOCUMENTS,
            _CONFIDENCE,
            _NOTE_VI,
            _NOTE_EN,
        ),
    ),
    Table(
        name="agencies",
        vi="Cơ quan",
        en="Agencies",
        one_row_is="one agency or group of agencies to which a plan gives a duty",
        key=("agency_id",),
        columns=(
            _id("agency_id", "Mã cơ quan", "Agency id"),
            Column("name_vi", "text", "Tên cơ quan", "Name (Vietnamese)"),
            Column("name_en", "text", "Tên tiếng Anh", "Name (English)"),
            Column("short_vi", "text", "Tên viết tắt", "Short name", required=False),
            Column(
                "level",
                "text",
                "Cấp",
                "Level",
                enum=("province", "district", "central_branch", "media", "association", "group"),
            ),
            _DOCUMENTS,
            _NOTE_VI,
            _NOTE_EN,
        ),
    ),
    Table(
        name="duties",
        vi="Nhiệm vụ",
        en="Duties",
        one_row_is="one duty that one clause of one plan gives to one agency or several",
        key=("duty_id",),
        columns=(
            _id("duty_id", "Mã nhiệm vụ", "Duty id"),
            Column("kind", "text", "Loại", "Kind", enum=("task", "report", "period", "general")),
            _PLAN,
            Column("clause", "text", "Điểm, khoản", "Clause"),
            Column("other_clauses", "list", "Điểm, khoản khác", "Other clauses", required=False),
            Column(
                "agency_ids",
                "list",
                "Cơ quan chủ trì",
                "Lead agencies",
                references=("agencies.agency_id",),
            ),
            Column("task_vi", "text", "Nhiệm vụ", "Duty (Vietnamese)"),
            Column("task_en", "text", "Nhiệm vụ tiếng Anh", "Duty (English)"),
            Column(
                "duty_count",
                "integer",
                "Số việc trong điểm này",
                "Duties in this clause",
                minimum=1,
            ),
            Column(
                "cadence",
                "text",
                "Chu kỳ",
                "Cadence",
                enum=(
                    "once",
                    "yearly",
                    "every_2_years",
                    "regular",
                    "once_then_yearly",
                    "period",
                    "not_stated",
                ),
            ),
            Column("starts_on", "date", "Bắt đầu", "Starts", required=False),
            Column("ends_on", "date", "Kết thúc", "Ends", required=False),
            Column(
                "before_day",
                "text",
                "Trước ngày (tháng-ngày) hằng năm",
                "Before this day (month-day) every year",
                required=False,
                pattern=MONTH_DAY,
            ),
            Column(
                "partner_ids",
                "list",
                "Cơ quan phối hợp",
                "Partners",
                required=False,
                references=("agencies.agency_id",),
            ),
            Column(
                "unit_ids",
                "list",
                "Đơn vị hành chính được nêu tên",
                "Administrative units named",
                required=False,
                references=("communes.unit_id",),
            ),
            _NOTE_VI,
            _NOTE_EN,
        ),
        ordered_dates=(("starts_on", "ends_on"),),
    ),
    Table(
        name="duty_reports",
        vi="Nhiệm vụ đã báo cáo",
        en="Duties reported",
        one_row_is="one duty that one agency reports as done for one year",
        key=("report_id",),
        columns=(
            _id("report_id", "Mã báo cáo", "Report id"),
            Column("duty_id", "text", "Nhiệm vụ", "Duty", references=("duties.duty_id",)),
            Column(
                "agency_id",
                "text",
                "Cơ quan đã làm",
                "Agency that did it",
                references=("agencies.agency_id",),
            ),
            Column("period", "text", "Của năm", "For the year", pattern=r"\d{4}"),
            Column("done_on", "date", "Ngày làm xong", "Done on"),
            _ACT,
            _DOCUMENTS,
            _CONFIDENCE,
            _NOTE_VI,
            _NOTE_EN,
        ),
    ),
    Table(
        name="documents",
        vi="Tài liệu",
        en="Documents",
        one_row_is="one legal act, plan, press page, statistics release or data set",
        key=("document_id",),
        columns=(
            _id("document_id", "Mã tài liệu", "Document id"),
            Column(
                "kind",
                "text",
                "Loại",
                "Kind",
                enum=(
                    "plan",
                    "legal_act",
                    "press",
                    "statistics",
                    "official_page",
                    "company",
                    "reference",
                    "dataset",
                    "calculation",
                    "workbook",
                ),
            ),
            Column("name_vi", "text", "Tên", "Title (Vietnamese)"),
            Column("name_en", "text", "Tên tiếng Anh", "Title (English)"),
            Column("number", "text", "Số, ký hiệu", "Number of the act", required=False),
            Column("publisher", "text", "Nơi ban hành, công bố", "Publisher"),
            Column("url", "url", "Địa chỉ", "Address", required=False),
            Column(
                "is_linked",
                "flag",
                "Có đặt liên kết",
                "Whether the site links to it (mirrors of doubtful hosts are cited, not linked)",
            ),
            Column("published_on", "date", "Ngày", "Date", required=False),
            Column(
                "date_basis",
                "text",
                "Căn cứ của ngày",
                "Basis of the date",
                enum=(*AS_OF_BASES, "not_known"),
            ),
            Column("retrieved_on", "date", "Ngày đọc", "Read on"),
            Column(
                "cited_by_ids",
                "list",
                "Được dẫn trong",
                "Known through these documents",
                required=False,
                references=("documents.document_id",),
            ),
            _NOTE_VI,
            _NOTE_EN,
        ),
    ),
    Table(
        name="communes",
        vi="Đơn vị hành chính",
        en="Administrative units",
        one_row_is="one old district, old commune or new commune",
        key=("unit_id",),
        columns=(
            _id("unit_id", "Mã đơn vị", "Unit id"),
            Column(
                "level", "text", "Cấp", "Level", enum=("commune", "old_commune", "old_district")
            ),
            Column(
                "code", "text", "Mã số của cơ quan thống kê", "Official code", pattern=r"\d{3,5}"
            ),
            Column("name_vi", "text", "Tên", "Name"),
            Column("name_en", "text", "Tên tiếng Anh", "Name (English)"),
            Column(
                "parent_id",
                "text",
                "Thuộc",
                "Belongs to",
                required=False,
                references=("communes.unit_id",),
            ),
            Column("valid_from", "date", "Có hiệu lực từ", "Valid from", required=False),
            Column("valid_to", "date", "Có hiệu lực đến", "Valid to", required=False),
            Column(
                "longitude",
                "number",
                "Kinh độ điểm đại diện",
                "Longitude of its point",
                required=False,
                local="longitudes",
            ),
            Column(
                "latitude",
                "number",
                "Vĩ độ điểm đại diện",
                "Latitude of its point",
                required=False,
                local="latitudes",
            ),
            Column(
                "reach_m",
                "number",
                "Khoảng cách xa nhất từ điểm đại diện tới ranh giới, mét",
                "Farthest distance from its point to its border, metres",
                required=False,
                minimum=1,
            ),
            Column("area_km2", "number", "Diện tích, km²", "Area, km²", required=False, minimum=0),
            _DOCUMENTS,
            _NOTE_VI,
            _NOTE_EN,
        ),
        ordered_dates=(("valid_from", "valid_to"),),
    ),
    Table(
        name="commune_crosswalk",
        vi="Chuyển đổi xã cũ - xã mới",
        en="Commune crosswalk",
        one_row_is="one old commune and the new commune that holds it, or part of it",
        key=("old_unit_id", "new_unit_id"),
        columns=(
            Column("old_unit_id", "text", "Xã cũ", "Old commune", references=("communes.unit_id",)),
            Column(
                "new_unit_id", "text", "Xã mới", "New commune", references=("communes.unit_id",)
            ),
            Column("relation", "text", "Quan hệ", "Relation", enum=("whole", "part")),
            _DOCUMENTS,
        ),
    ),
    Table(
        name="measures",
        vi="Danh mục chỉ tiêu đo",
        en="Measures",
        one_row_is="one measure that claims may speak of",
        key=("measure",),
        columns=(
            Column("measure", "text", "Mã chỉ tiêu", "Measure", pattern=r"[a-z0-9_]+"),
            Column("name_vi", "text", "Tên", "Name (Vietnamese)"),
            Column("name_en", "text", "Tên tiếng Anh", "Name (English)"),
            Column("value_type", "text", "Kiểu giá trị", "Value type", enum=("number", "text")),
            Column("unit", "text", "Đơn vị", "Unit", required=False),
            Column("unit_en", "text", "Đơn vị tiếng Anh", "Unit (English)", required=False),
            Column("minimum", "number", "Nhỏ nhất có thể", "Smallest possible", required=False),
            Column("maximum", "number", "Lớn nhất có thể", "Largest possible", required=False),
            Column("meaning_vi", "text", "Nghĩa", "Meaning (Vietnamese)"),
            Column("meaning_en", "text", "Nghĩa tiếng Anh", "Meaning (English)"),
        ),
    ),
    Table(
        name="stages",
        vi="Danh mục bước tiến độ",
        en="Stages",
        one_row_is="one step of one of the four status vocabularies",
        key=("stage_id",),
        columns=(
            Column("stage_id", "text", "Mã bước", "Stage id", pattern=r"[a-z]+\.[a-z_]+"),
            Column("axis", "text", "Áp dụng cho", "Applies to", enum=STAGE_AXES),
            Column("rank", "integer", "Thứ tự", "Order", minimum=0, maximum=99),
            Column("group", "text", "Nhóm", "Group", enum=STAGE_PHASES),
            Column("name_vi", "text", "Tên", "Name (Vietnamese)"),
            Column("name_en", "text", "Tên tiếng Anh", "Name (English)"),
            Column("meaning_vi", "text", "Nghĩa", "Meaning (Vietnamese)"),
            Column("meaning_en", "text", "Nghĩa tiếng Anh", "Meaning (English)"),
            Column("law_vi", "text", "Căn cứ pháp luật", "Law (Vietnamese)", required=False),
            Column("law_en", "text", "Căn cứ pháp luật (Anh)", "Law (English)", required=False),
            Column(
                "document_ids",
                "list",
                "Tài liệu làm căn cứ",
                "Documents that say so",
                required=False,
                references=("documents.document_id",),
            ),
        ),
    ),
    Table(
        name="gaps",
        vi="Điều đã tìm mà không thấy",
        en="Looked for and not found",
        one_row_is="one thing that was looked for and not found, with the date of the search",
        key=("gap_id",),
        columns=(
            _id("gap_id", "Mã", "Gap id"),
            Column(
                "subject_id",
                "text",
                "Liên quan tới",
                "About",
                required=False,
                references=(
                    *_SUBJECT,
                    "indicators.series_id",
                    "documents.document_id",
                    "targets.target_id",
                ),
            ),
            Column("what_vi", "text", "Điều không tìm thấy", "What was not found (Vietnamese)"),
            Column("what_en", "text", "Điều không tìm thấy (Anh)", "What was not found (English)"),
            Column("looked_on", "date", "Ngày tìm", "Looked on"),
        ),
    ),
)

TABLE = {table.name: table for table in TABLES}
