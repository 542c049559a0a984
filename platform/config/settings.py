"""Settings of every process. What differs between machines comes from the environment (docs/settings.md).

`bin/run` writes `.local/environment` on a machine's first start; a process that was started without that
environment (a bare `manage.py shell`) reads it from there.
"""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

import environ
from celery.schedules import crontab

ROOT = Path(__file__).resolve().parent.parent.parent

env = environ.Env()
if "YUCHUANG_MODE" not in os.environ:
    environ.Env.read_env(ROOT / ".local" / "environment")

# development | test | production
MODE = env.str("YUCHUANG_MODE", default="development")
# Demo data, the demo edition and the cast's passwords. Production refuses to start with it (config.checks).
DEMO = env.bool("YUCHUANG_DEMO", default=False)
DEBUG = env.bool("YUCHUANG_DEBUG", default=False)
SECRET_KEY = env.str("YUCHUANG_SECRET_KEY")
ALLOWED_HOSTS = env.list("YUCHUANG_ALLOWED_HOSTS", default=["localhost", "127.0.0.1"])
CSRF_TRUSTED_ORIGINS = env.list("YUCHUANG_TRUSTED_ORIGINS", default=[])
PUBLIC_URL = env.str("YUCHUANG_PUBLIC_URL", default="http://localhost:8000")

# --- keys (docs/decisions/0005-keys.md) ---
DATA_KEY = env.str("YUCHUANG_DATA_KEY")  # base64, 32 bytes: AES-256-GCM of ID numbers, phones, face templates
INDEX_KEY = env.str("YUCHUANG_INDEX_KEY")  # base64, 32 bytes: HMAC blind index
SIGNING_KEY = env.str("YUCHUANG_SIGNING_KEY")  # base64, 32 bytes: Ed25519 seed of the daily evidence root
# Public keys, in hex, of seeds that were replaced: roots signed with them are still believed.
SIGNING_KEYS_RETIRED = env.list("YUCHUANG_SIGNING_KEYS_RETIRED", default=[])

# --- places ---
DATA_DIR = Path(env.str("YUCHUANG_DATA_DIR", default=str(ROOT / ".local" / "data")))
MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = "/media-is-never-served-directly/"
STATIC_URL = "/static/"
STATIC_ROOT = ROOT / ".local" / "static"
VENDOR_STATIC = ROOT / ".local" / "vendor"  # npm's pinned files, copied by bin/run's set-up
STATICFILES_DIRS = [("vendor", VENDOR_STATIC)] if VENDOR_STATIC.exists() else []
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if MODE == "production"
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = MODE != "production"

# How packages go to the provincial system and receipts come back (docs/exchange-format.md).
EXCHANGE_GATEWAY = env.str("YUCHUANG_EXCHANGE_GATEWAY", default="exchange.xlsx.gateway.XlsxGateway")

INSTALLED_APPS = [
    "config",
    "audit",
    "exchange",
    "accounts",
    "accounts.registers",
    "identity",
    "courses",
    "classes",
    "classes.live",
    "classes.recruitment",
    "attendance",
    "exams",
    "subsidies",
    "supervision",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_htmx",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.inputs.NulMiddleware",
    "config.inputs.BlankMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.refusals.RefusalMiddleware",
    "config.refusals.MethodMiddleware",
    "axes.middleware.AxesMiddleware",
    "supervision.middleware.LookMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,  # of libraries: our own templates are all in templates/
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context.site",
            ],
            "builtins": ["config.templatetags.yc", "django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]

FORM_RENDERER = "config.forms.Renderer"
CSRF_FAILURE_VIEW = "config.views.csrf_failure"

# --- database: four logins, each with the least it needs (docs/decisions/0003-database-roles.md) ---
_pool = (
    {"min_size": 1, "max_size": env.int("YUCHUANG_DB_POOL", default=8)}
    if env.bool("YUCHUANG_DB_POOLED", default=False)
    else None
)


def _database(
    variable: str, *, mirror: str | None = None, engine: str = "django.db.backends.postgresql"
) -> dict[str, object]:
    """Read one login from the environment; under ASGI the pool keeps connections (CONN_MAX_AGE=0)."""
    config: dict[str, object] = env.db_url(variable)
    # A socket's folder is written %2FLike%2Fthis, and urllib's `hostname` would fold its capitals.
    host = urlsplit(env.str(variable)).netloc.rpartition("@")[2].partition(":")[0]
    config["HOST"] = unquote(host)
    config["ENGINE"] = engine
    config["CONN_MAX_AGE"] = 0
    config["ATOMIC_REQUESTS"] = False
    if _pool:
        config["OPTIONS"] = {"pool": dict(_pool)}
    if mirror:
        config["TEST"] = {"MIRROR": mirror}
    return config


# Only what migrates is given the owner's login; elsewhere the alias can do no more than the application.
_owner = "DATABASE_OWNER_URL" if "DATABASE_OWNER_URL" in os.environ else "DATABASE_URL"
DATABASES = {
    "default": _database("DATABASE_URL"),  # the application: no UPDATE or DELETE on evidence
    "owner": _database(_owner, mirror="default"),  # migrations only
    # SELECT only, and not of every column: its engine asks for those that config/grants.py leaves it.
    "supervision": _database(
        "SUPERVISION_DATABASE_URL", mirror="default", engine="config.supervision_backend"
    ),
    "looks": _database("LOOKS_DATABASE_URL", mirror="default"),  # INSERT into supervision_look only
}
DATABASE_ROUTERS = ["config.database.OneSchemaRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- redis: cache, channel layer, room hub, celery ---
REDIS_URL = env.str("REDIS_URL")  # unix:///path or redis://host:port/0
# Every key and every channel name of ours begins with it: several platforms or test runs may share a Redis.
REDIS_PREFIX = env.str("YUCHUANG_REDIS_PREFIX", default="yc")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": REDIS_PREFIX,
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": REDIS_PREFIX},
    }
}
CELERY_BROKER_URL = (
    REDIS_URL.replace("unix://", "redis+socket://", 1) if REDIS_URL.startswith("unix://") else REDIS_URL
)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "Asia/Shanghai"
CELERY_WORKER_LOG_FORMAT = CELERY_WORKER_TASK_LOG_FORMAT = "%(levelname).1s %(name)s: %(message)s"
CELERY_TASK_ALWAYS_EAGER = env.bool("YUCHUANG_TASKS_EAGER", default=False)
CELERY_TASK_EAGER_PROPAGATES = True
CELERY_BEAT_SCHEDULE = {
    name: {"task": task, "schedule": schedule}
    for name, task, schedule in (
        # Seconds, or a time of day in Henan.
        ("presence: close who fell silent", "live.close_silent_presences", 5.0),
        ("lessons: end what nobody ended", "live.end_overdue_lessons", 60.0),
        ("checks: close what is due", "attendance.close_due_checks", 5.0),
        ("videos: end what nobody watches any more", "attendance.close_silent_watches", 10.0),
        ("sign-ins: take over what face checks found", "attendance.settle_sign_ins", 5.0),
        ("faces: judge what was left waiting", "identity.tasks.judge_waiting", 30.0),
        ("exams: hand in papers whose time is over", "exams.tasks.hand_in_due_attempts", 10.0),
        ("packages: write what the queue lost", "classes.tasks.write_waiting_packages", 60.0),
        ("slides: render what the queue never took", "courses.render_waiting_slides", 60.0),
        ("certificates: print what the queue never took", "exams.tasks.print_waiting_certificates", 60.0),
        ("looks: enter them into the evidence log", "supervision.tasks.chain_looks", 30.0),
        ("evidence: sign what is new", "audit.tasks.seal_now", crontab(minute="*/15")),
        ("evidence: seal the day", "audit.tasks.seal_yesterday", crontab(hour=0, minute=10)),
        ("evidence: verify all of it", "audit.tasks.verify_evidence", crontab(hour=3, minute=0)),
        (
            "category evidence: destroy photos of who was turned down long ago",
            "recruitment.destroy_stale_pictures",
            crontab(hour=2, minute=20),
        ),
        ("faces: destroy what has expired", "identity.tasks.destroy_expired", crontab(minute=7)),
    )
}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")

# --- live video: Janus behind loopback; empty means the platform runs without live pictures ---
JANUS_HTTP_URL = env.str("JANUS_HTTP_URL", default="")
JANUS_ADMIN_URL = env.str("JANUS_ADMIN_URL", default="")
JANUS_API_SECRET = env.str("JANUS_API_SECRET", default="")
JANUS_ADMIN_SECRET = env.str("JANUS_ADMIN_SECRET", default="")
JANUS_ROOM_KEY = env.str("JANUS_ROOM_KEY", default="")
JANUS_RECORDINGS_DIR = Path(env.str("JANUS_RECORDINGS_DIR", default=str(DATA_DIR / "recordings")))
ICE_SERVERS = env.json("YUCHUANG_ICE_SERVERS", default=[])
# Seconds: a client beats every HEARTBEAT_SECONDS; one that was silent for PRESENCE_TIMEOUT_SECONDS has left.
HEARTBEAT_SECONDS = env.int("YUCHUANG_HEARTBEAT_SECONDS", default=5)
PRESENCE_TIMEOUT_SECONDS = env.int("YUCHUANG_PRESENCE_TIMEOUT_SECONDS", default=20)

# --- faces ---
FACE_ENGINE = env.str("YUCHUANG_FACE_ENGINE", default="sface")  # sface | dlib
# Who runs this platform: consent to face checks must name them (人脸识别技术应用安全管理办法 第五条).
OPERATOR_NAME = env.str("YUCHUANG_OPERATOR_NAME", default="豫创演示平台（演示）" if DEMO else "")
OPERATOR_CONTACT = env.str("YUCHUANG_OPERATOR_CONTACT", default="演示电话 0371-00000000" if DEMO else "")

# --- the norm ---
# Editions shipped in platform/policy/editions; more folders (a province's own, a test's) may be added.
EDITION_DIRS = [Path(p) for p in env.list("YUCHUANG_EDITION_DIRS", default=[])]
CALENDAR_DIRS = [Path(p) for p in env.list("YUCHUANG_CALENDAR_DIRS", default=[])]

# --- people ---
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_ENABLED = MODE != "test"
AXES_VERBOSE = False
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "start"
LOGOUT_REDIRECT_URL = "home"

# --- language and time ---
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LOCALE_PATHS = [ROOT / "platform" / "config" / "locale"]
FORMAT_MODULE_PATH = "config.formats"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"

# --- API ---
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PAGINATION_CLASS": "config.api.Pagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "accounts.parsers.JSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "EXCEPTION_HANDLER": "config.api.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "豫创 Yuchuang API",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "ENUM_NAME_OVERRIDES": {
        "ClassState": "classes.states.ClassState",
        "FilingState": "classes.states.FilingState",
        "CourseVersionState": "courses.states.VersionState",
        "MaterialState": "courses.states.MaterialState",
        "MaterialKind": "courses.states.MaterialKind",
        "HourKind": "courses.models.HOUR_KINDS",
        "SignInState": "attendance.states.SignInState",
        "AttemptState": "exams.states.AttemptState",
        "ClaimState": "subsidies.states.ClaimState",
        "ObjectionState": "subsidies.states.ObjectionState",
        "CampaignState": "classes.recruitment.states.CampaignState",
        "RegistrationState": "classes.recruitment.states.RegistrationState",
        "QualificationState": "accounts.registers.states.QualificationState",
        "MeasureKind": "accounts.registers.states.MeasureKind",
        "TraineeCategory": "classes.models.CATEGORIES",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# --- the browser's side ---
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = MODE == "production"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if MODE == "production" else None
SECURE_HSTS_SECONDS = 31_536_000 if MODE == "production" else 0
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "media-src": ["'self'", "blob:"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "script-src": ["'self'"],
        "connect-src": ["'self'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024
# A timetable has up to 200 rows of 7 fields; a longer one is still read, and told what is too much.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 3000
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname).1s %(name)s: %(message)s"}},
    "filters": {"secret_addresses": {"()": "config.logs.SecretAddresses"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["secret_addresses"],
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"fontTools": {"level": "WARNING"}},  # tells of every table of every certificate's font
}
