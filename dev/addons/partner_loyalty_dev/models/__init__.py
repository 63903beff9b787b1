from . import iap_autocomplete_api
from . import ir_mail_server
