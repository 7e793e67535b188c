/*
 * A GStreamer pipeline as one would write it for a shared screen, with its encoded frames handed
 * over on descriptor 3.
 *
 *	bench-gst PIPELINE
 *
 * PIPELINE ends in an appsink named "out".
 */
#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "sender.h"

struct engine {
	GMainLoop *loop;
	GstElement *pipeline;
	struct sender sender;
	bool failed;
};

static GstFlowReturn on_sample(GstAppSink *sink, gpointer data) {
	struct engine *engine = data;
	GstSample *sample = gst_app_sink_pull_sample(sink);
	if (sample == NULL) {
		return GST_FLOW_EOS;
	}
	GstBuffer *buffer = gst_sample_get_buffer(sample);
	if (engine->sender.width == 0) {
		int width = 0;
		int height = 0;
		const GstStructure *caps = gst_caps_get_structure(gst_sample_get_caps(sample), 0);
		gst_structure_get_int(caps, "width", &width);
		gst_structure_get_int(caps, "height", &height);
		sender_init(&engine->sender, PACKET_CODEC_VP8, (uint32_t)width, (uint32_t)height);
	}
	/* pipewiresrc takes the time stamps of the producer, less the pipeline's own beginning. */
	GstClockTime pts = GST_BUFFER_PTS(buffer) + gst_element_get_base_time(engine->pipeline);
	GstMapInfo map;
	bool sent = gst_buffer_map(buffer, &map, GST_MAP_READ);
	if (sent) {
		bool key = !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
		sent = sender_frame(
			&engine->sender, (int64_t)(pts / 1000), key, map.data, map.size);
		gst_buffer_unmap(buffer, &map);
	}
	gst_sample_unref(sample);
	return sent ? GST_FLOW_OK : GST_FLOW_EOS;
}

static gboolean on_message(GstBus *bus, GstMessage *message, gpointer data) {
	(void)bus;
	struct engine *engine = data;
	if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
		GError *error = NULL;
		gst_message_parse_error(message, &error, NULL);
		fprintf(stderr, "bench-gst: %s\n", error->message);
		g_error_free(error);
		engine->failed = true;
		g_main_loop_quit(engine->loop);
	} else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS) {
		g_main_loop_quit(engine->loop);
	}
	return G_SOURCE_CONTINUE;
}

int main(int argc, char **argv) {
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	gst_init(&argc, &argv);
	if (argc != 2) {
		fputs("bench-gst: started by bench-cell only\n", stderr);
		return 2;
	}
	GError *error = NULL;
	struct engine engine = {.loop = g_main_loop_new(NULL, FALSE)};
	engine.pipeline = gst_parse_launch(argv[1], &error);
	if (engine.pipeline == NULL || error != NULL) {
		fprintf(stderr, "bench-gst: %s\n", error != NULL ? error->message : "no pipeline");
		return 1;
	}
	GstElement *out = gst_bin_get_by_name(GST_BIN(engine.pipeline), "out");
	GstAppSinkCallbacks callbacks = {.new_sample = on_sample};
	gst_app_sink_set_callbacks(GST_APP_SINK(out), &callbacks, &engine, NULL);
	GstBus *bus = gst_element_get_bus(engine.pipeline);
	gst_bus_add_watch(bus, on_message, &engine);
	gst_element_set_state(engine.pipeline, GST_STATE_PLAYING);
	g_main_loop_run(engine.loop);
	gst_element_set_state(engine.pipeline, GST_STATE_NULL);
	gst_object_unref(bus);
	gst_object_unref(out);
	gst_object_unref(engine.pipeline);
	g_main_loop_unref(engine.loop);
	return engine.failed ? 1 : 0;
}
