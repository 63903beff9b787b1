# Short names for the developer commands; 'make' alone lists them.
# Variables of the command line (make test T=..., make retail FILE=...) reach them through the environment.
COMMANDS = help run stop logs reset test test-odoo lint i18n check figures bench fuzz chaos guards external lifecycle first \
	example shots pictures walk month tour retail year templates db lock
.DEFAULT_GOAL := help
.PHONY: $(COMMANDS)

$(COMMANDS):
	@dev/start $@
